// Invitations, in the host's page: a bubble beside the button after some time
// on some pages. Fetched by the loader where the inbox has any.
import type { About, Keeper } from './page'

export interface Invitation { hide(): void }

export interface Host {
  busy(): boolean // the chat is open
  open(): void
  told(one: { i: string; text: string }): void // what is asked now; empty: the visitor does not want it
}

const dismiss: Record<string, string> = { en: 'Dismiss', de: 'Ausblenden', fr: 'Masquer', es: 'Descartar', pt: 'Dispensar', ar: 'تجاهل', he: 'הסתרה', ja: '非表示' }

const css = `
.ask{position:fixed;inset-block-end:calc(88px + env(safe-area-inset-bottom));inset-inline-end:20px;max-width:min(300px,calc(100vw - 40px));display:flex;align-items:start;border-radius:14px;background:Canvas;color:CanvasText;box-shadow:0 4px 20px #0004;animation:in .2s}
.ask button{min-height:44px;background:none;color:inherit;border-radius:14px}
.ask :first-child{padding:10px 0 10px 14px;padding-inline:14px 0;text-align:start;overflow-wrap:anywhere}
.ask :last-child{flex:none;width:44px;font-size:20px}
@keyframes in{from{opacity:0;transform:translateY(8px)}}
@media(prefers-reduced-motion:reduce){.ask{animation:none}}`

// A path, or a whole address, in which * stands for anything.
export function matches(pattern: string, at: { origin: string; pathname: string; search: string }): boolean {
  const rest = at.pathname + at.search
  const parts = pattern.split(/\*/).map((p) => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp('^' + parts.join('.*') + '$').test(pattern[0] === '/' ? rest : at.origin + rest)
}

// watch counts seconds on one address; pages that change it without a load are
// counted anew. Each invitation is shown once, in a node of the closed root.
export function watch(all: NonNullable<About['g']>, lang: string, kept: Keeper, root: ShadowRoot, host: Host): Invitation {
  let left = all.filter((one) => !kept.has(one.i))
  let page = location.href
  let seconds = 0
  const bubble = document.createElement('div')
  bubble.className = 'ask'
  bubble.setAttribute('role', 'status')
  bubble.hidden = true
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  root.adoptedStyleSheets.push(sheet)
  root.lastElementChild?.before(bubble)

  const button = (text: string, run: () => void) => {
    const b = document.createElement('button')
    b.type = 'button'
    b.textContent = text
    b.onclick = run
    return b
  }
  const refuse = () => {
    bubble.hidden = true
    host.told({ i: '', text: '' })
  }
  bubble.onkeydown = (e) => {
    if (e.key === 'Escape') refuse()
  }
  const tick = setInterval(() => {
    if (page !== location.href) [page, seconds] = [location.href, 0]
    if (!document.hidden) seconds++
    if (host.busy() || !bubble.hidden) return
    const one = left.find((x) => seconds >= x.s && matches(x.p, location))
    if (one) {
      left = left.filter((x) => x !== one)
      kept.add(one.i)
      const text = one.t[lang] ?? one.t['']
      const read = button(text, host.open)
      read.dir = 'auto'
      const shut = button('×', refuse)
      shut.setAttribute('aria-label', dismiss[lang] ?? dismiss.en)
      bubble.replaceChildren(read, shut)
      bubble.hidden = false
      host.told({ i: one.i, text })
    }
    if (!left.length) clearInterval(tick)
  }, 1000)
  return { hide: () => (bubble.hidden = true) }
}
