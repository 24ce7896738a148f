// Runs in the host's page: one custom element with a closed shadow root, one
// button, and a frame that does not exist before it is first opened, or before
// something was said in an earlier visit. No cookies, no styles outside,
// nothing read from the page but its address where an invitation asks for it.
// The page's own storage keeps two things under weftline.<inbox>: that there
// is something said, and which invitations were shown.
import type { Invitation } from './invite'
import { Keeper, labels, type About } from './page'

type Command = [name: string, argument?: string]
interface Api {
  (...command: Command): void
  q?: ArrayLike<Command>
}

const script = document.currentScript as HTMLScriptElement | null
const host = window as unknown as { weftline?: Api }

if (script && !customElements.get('weftline-chat')) {
  const base = new URL('.', script.src)
  const about = JSON.parse('#about') as About // the hub writes it here
  const own = script.dataset.language ?? ''
  const [lang, say] = labels(own, about.l, ...navigator.languages)
  const kept = new Keeper('weftline.' + about.i)
  const colour = '#0c0ffe' // the hub writes the inbox's colour here
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16))
  const ink = r * 299 + g * 587 + b * 114 > 150000 ? '#111' : '#fff'

  const css = `
:host{all:initial;position:fixed;inset-block-end:0;inset-inline-end:0;z-index:2147483000;font:16px/1.4 system-ui,sans-serif;color-scheme:light dark}
button{font:inherit;cursor:pointer;border:0}
button:focus-visible{outline:3px solid ${colour};outline-offset:3px}
.go{position:fixed;inset-block-end:calc(20px + env(safe-area-inset-bottom));inset-inline-end:20px;width:56px;height:56px;border-radius:50%;background:${colour};color:${ink};box-shadow:0 4px 16px #0004;display:grid;place-items:center;transition:transform .15s}
.go:hover{transform:scale(1.05)}
svg{width:26px;height:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
i{position:absolute;inset-block-start:-2px;inset-inline-end:-2px;min-width:20px;height:20px;padding:0 5px;box-sizing:border-box;border-radius:10px;background:#c81e1e;color:#fff;font:600 12px/20px system-ui,sans-serif;text-align:center}
[hidden]{display:none!important}
.box{position:fixed;inset-block-end:calc(88px + env(safe-area-inset-bottom));inset-inline-end:20px;width:380px;max-width:calc(100vw - 40px);height:min(620px,calc(100dvh - 108px));border-radius:16px;overflow:hidden;box-shadow:0 12px 48px #0005;background:Canvas}
iframe{border:0;width:100%;height:100%;display:block;color-scheme:normal}
@media(max-width:480px){.box{inset:0;width:auto;max-width:none;height:100dvh;border-radius:0}.box:not([hidden])~.go{display:none}}
@media(prefers-reduced-motion:reduce){.go{transition:none}}`

  customElements.define('weftline-chat', class extends HTMLElement {
    #panel = document.createElement('div')
    #button = document.createElement('button')
    #badge = document.createElement('i')
    #bubble?: Invitation
    #root = this.attachShadow({ mode: 'closed' })
    #frame?: HTMLIFrameElement
    #ready = false
    #jwt?: string
    #invite?: { i: string; text: string }

    constructor() {
      super()
      const root = this.#root
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(css)
      root.adoptedStyleSheets = [sheet]
      this.#panel.hidden = this.#badge.hidden = true
      this.#panel.className = 'box'
      this.#panel.setAttribute('role', 'dialog')
      this.#panel.setAttribute('aria-label', say[3])
      this.#button.type = 'button'
      this.#button.className = 'go'
      this.#button.setAttribute('aria-haspopup', 'dialog')
      this.#button.innerHTML = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M21 12a8.5 8.5 0 0 1-12.4 7.5L3 21l1.5-5.6A8.5 8.5 0 1 1 21 12z"/></svg>'
      this.#button.append(this.#badge)
      this.#button.onclick = () => this.toggle(!!this.#panel.hidden)
      root.append(this.#panel, this.#button)
      root.addEventListener('keydown', (e) => {
        if ((e as KeyboardEvent).key === 'Escape') this.toggle(false)
      })
      this.#label(0)
      window.addEventListener('message', (e) => this.#heard(e))
      // A keyboard on the screen leaves less than 100dvh.
      const seen = window.visualViewport
      const fit = () => {
        const small = seen && matchMedia('(max-width:480px)').matches
        this.#panel.style.height = small ? seen.height + 'px' : ''
        this.#panel.style.top = small ? seen.offsetTop + 'px' : ''
      }
      seen?.addEventListener('resize', fit)
      seen?.addEventListener('scroll', fit)
      if (kept.has('said')) this.#load()
      if (about.g?.some((one) => !kept.has(one.i))) this.#watch(about.g).catch(() => {})
    }

    connectedCallback() {
      this.lang = lang
      this.setAttribute('role', 'region')
      this.setAttribute('aria-label', say[3])
      this.dir = lang === 'ar' || lang === 'he' ? 'rtl' : 'ltr'
    }

    toggle(open: boolean) {
      if (open) {
        this.#load()
        this.#bubble?.hide()
      }
      if (open === !this.#panel.hidden) return
      this.#panel.hidden = !open
      this.#label(0)
      if (!open) this.#button.focus()
      this.#say('shown', open)
    }

    identify(jwt: string) {
      this.#jwt = jwt
      this.#say('identify', jwt)
    }

    #load() {
      if (this.#frame) return
      this.#frame = document.createElement('iframe')
      this.#frame.title = say[3]
      this.#frame.src = new URL('frame', base) + '#' + [location.origin, own].map(encodeURIComponent).join('&')
      this.#panel.append(this.#frame)
    }

    // What watches for invitations comes only where there are some.
    async #watch(all: NonNullable<About['g']>) {
      const { watch } = (await import(new URL('invite.js', base).href)) as typeof import('./invite')
      this.#bubble = watch(all, lang, kept, this.#root, {
        busy: () => !this.#panel.hidden,
        open: () => this.toggle(true),
        told: (one) => {
          this.#invite = one
          this.#say('invite', one)
          if (!one.i) this.#button.focus()
        },
      })
    }

    #label(unread: number) {
      const open = !this.#panel.hidden
      this.#badge.hidden = open || !unread
      this.#badge.textContent = unread > 9 ? '9+' : '' + unread
      this.#button.setAttribute('aria-expanded', '' + open)
      this.#button.setAttribute('aria-label', open ? say[1] : unread ? say[0] + ', ' + say[2].replace('#', '' + unread) : say[0])
    }

    #say(type: string, value: unknown) {
      if (this.#ready) this.#frame?.contentWindow?.postMessage({ weftline: 1, type, value }, base.origin)
    }

    #heard(e: MessageEvent) {
      if (!this.#frame || e.origin !== base.origin || e.source !== this.#frame.contentWindow || e.data?.weftline !== 1) return
      const { type, value } = e.data as { type: unknown; value: unknown }
      if (type === 'ready') {
        this.#ready = true
        if (this.#jwt !== undefined) this.#say('identify', this.#jwt)
        if (this.#invite) this.#say('invite', this.#invite)
        this.#say('shown', !this.#panel.hidden)
      } else if (type === 'close') this.toggle(false)
      else if (type === 'unread' && typeof value === 'number') this.#label(value)
      else if (type === 'known') kept.add('said')
      else if (type === 'answered') this.#invite = undefined
      else if (type === 'token') window.dispatchEvent(new CustomEvent('weftline:token'))
    }
  })

  const start = () => {
    const chat = document.createElement('weftline-chat') as HTMLElement & { toggle(open: boolean): void; identify(jwt: string): void }
    document.body.append(chat)
    const before = host.weftline?.q
    host.weftline = (name, argument) => {
      if (name === 'identify') chat.identify(String(argument))
      else if (name === 'logout') chat.identify('')
      else if (name === 'open' || name === 'close') chat.toggle(name === 'open')
    }
    for (const command of Array.from(before ?? [])) host.weftline(...command)
  }
  if (document.readyState === 'complete') start()
  else window.addEventListener('load', start)
}
