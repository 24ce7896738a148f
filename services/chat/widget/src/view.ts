import { el, icon } from './dom'
import { bubble, restate, type Bubbling } from './bubble'
import { Form } from './form'
import type { Answers } from './protocol'
import { Card } from './prove'
import type { Entry } from './transcript'
import { words } from './words'

export interface Actions {
  send(text: string): void
  attach(files: File[]): void
  form(a: Answers): void
  email(address: string): void
  phone(number: string): void
  prove(address: string, phone: boolean): void
  code(id: string, code: string): void
  proven(address: string, phone: boolean, wanted: boolean): void
  mail(): void
  sms(): void
  typing(on: boolean): void
  close(): void
  ticket(): string
}

// View draws. It keeps one element per message and moves or changes only what differs.
export class View {
  private log = el('div', { role: 'log', 'aria-live': 'polite', 'aria-label': words.messages, tabindex: '0' })
  private intro = el('p', { class: 'intro', dir: 'auto' })
  private away = el('p', { class: 'closed', role: 'status', dir: 'auto' })
  private invite = el('article', { class: 'us', hidden: '' })
  private note = el('p', { class: 'note', role: 'status' })
  private hint = el('p', { class: 'typing', 'aria-live': 'off' })
  private box = el('textarea', { rows: '1', 'aria-label': words.placeholder, placeholder: words.placeholder, dir: 'auto' })
  private go = el('button', { type: 'submit', 'aria-label': words.send }, icon('M4 12l16-8-6 16-3-7z'))
  readonly card: Card
  readonly form: Form
  private write: HTMLFormElement
  private post = el('button', { type: 'button', hidden: '', 'aria-label': words.mail, title: words.mail }, icon('M3 6h18v12H3zM3 7l9 6 9-6'))
  private phone = el('button', { type: 'button', hidden: '', 'aria-label': words.sms, title: words.sms }, icon('M7 3h10v18H7zM11 18h2'))
  private title = el('h1', { dir: 'auto' })
  private drawn = new Map<string, { node: HTMLElement; said: string; state: string }>()
  private typed = 0
  private picker: (() => void) | undefined
  private down = true // the reader is at the end and stays there

  constructor(private act: Actions, name: string) {
    this.called(name)
    this.card = new Card(act)
    this.form = new Form((a) => act.form(a))
    const shut = el('button', { type: 'button', class: 'shut', 'aria-label': words.close }, icon('M6 6l12 12M18 6L6 18'))
    shut.onclick = () => act.close()
    this.post.onclick = () => act.mail()
    this.phone.onclick = () => act.sms()
    const pick = el('input', { type: 'file', multiple: '', hidden: '' })
    pick.onchange = () => {
      act.attach([...(pick.files ?? [])])
      pick.value = ''
    }
    const clip = el('button', { type: 'button', 'aria-label': words.attach }, icon('M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.500 8.500a2 2 0 0 1-3-3L14 7'))
    clip.onclick = () => pick.click()
    const smile = el('button', { type: 'button', 'aria-label': words.emoji, 'aria-expanded': 'false' }, icon('M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 14s1.500 2 4 2 4-2 4-2M9 9h.01M15 9h.01'))
    smile.onclick = () => void this.emoji(smile)
    const form = (this.write = el('form', { class: 'write', 'aria-label': words.placeholder }, clip, pick, smile, this.box, this.go))
    form.onsubmit = (e) => {
      e.preventDefault()
      this.submit()
    }
    this.box.oninput = () => {
      this.grow()
      const now = Date.now()
      if (this.box.value && now - this.typed > 3000) {
        this.typed = now
        act.typing(true)
      }
    }
    this.box.onkeydown = (e) => {
      if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
        e.preventDefault()
        this.submit()
      }
    }
    this.box.onblur = () => this.idle()
    this.box.onpaste = (e) => {
      const files = [...(e.clipboardData?.files ?? [])]
      if (files.length) {
        e.preventDefault()
        act.attach(files)
      }
    }
    document.addEventListener('keydown', (e) => {
      if (e.key === 'Escape') act.close()
    })
    this.dropping()
    this.log.onscroll = () => (this.down = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80)
    new ResizeObserver(() => this.stick()).observe(this.log)
    document.body.append(
      el('header', {}, this.title, this.phone, this.post, shut),
      this.away,
      el('main', {}, this.intro, this.invite, this.form.node, this.log, this.card.node, this.hint),
      this.note, form,
    )
  }

  private submit() {
    const text = this.box.value.trim()
    if (!text) return
    if ([...text].length > 10_000) return this.say(words.tooLong)
    this.box.value = ''
    this.grow()
    this.idle()
    this.act.send(text)
    this.box.focus()
  }

  private idle() {
    if (this.typed) this.act.typing(false)
    this.typed = 0
  }

  private grow() {
    this.box.style.height = 'auto'
    this.box.style.height = Math.min(this.box.scrollHeight, 140) + 'px'
  }

  private dropping() {
    const over = el('div', { class: 'over', hidden: '' }, words.drop)
    document.body.append(over)
    const files = (e: DragEvent) => e.dataTransfer?.types.includes('Files')
    document.addEventListener('dragover', (e) => {
      if (!files(e)) return
      e.preventDefault()
      over.hidden = false
    })
    document.addEventListener('dragleave', (e) => {
      if (!e.relatedTarget) over.hidden = true
    })
    document.addEventListener('drop', (e) => {
      e.preventDefault()
      over.hidden = true
      this.act.attach([...(e.dataTransfer?.files ?? [])])
    })
  }

  // The picker is another file, fetched when somebody wants it.
  private async emoji(button: HTMLElement) {
    if (this.picker) return this.picker()
    try {
      const { open } = (await import(new URL('emoji.js', location.href).href)) as typeof import('./emoji')
      const shut = () => {
        this.picker = undefined
        button.setAttribute('aria-expanded', 'false')
        this.box.focus()
      }
      if (this.picker) return
      this.picker = open(this.write, words.emoji, (e) => this.box.setRangeText(e, this.box.selectionStart, this.box.selectionEnd, 'end'), shut)
      button.setAttribute('aria-expanded', 'true')
    } catch {
      this.say(words.offline)
    }
  }

  mails(on: boolean) {
    this.post.hidden = !on
  }

  texts(on: boolean) {
    this.phone.hidden = !on
  }

  called(name: string) {
    this.title.textContent = document.title = name
  }

  closed(text: string) {
    if (this.away.textContent !== text) this.away.textContent = text
  }

  invited(text: string) {
    this.invite.hidden = !text
    this.invite.replaceChildren(el('div', { class: 'bubble', dir: 'auto' }, text))
  }

  ask(on: boolean) {
    this.card.node.hidden = !on && !this.card.busy
  }

  greet(text: string) {
    this.intro.textContent = text
  }

  say(text: string) {
    this.note.textContent = text
  }

  typing(text: string) {
    this.hint.textContent = text
  }

  focus() {
    if (this.form.open) this.form.focus()
    else this.box.focus()
  }

  writable(on: boolean) {
    this.write.querySelectorAll('button').forEach((b) => (b.disabled = !on))
    this.box.disabled = !on
    this.write.hidden = this.form.open
  }

  draw(entries: Entry[]) {
    const live = new Set<string>()
    let place: ChildNode | null = this.log.firstChild
    entries.forEach((e, i) => {
      live.add(e.key)
      const next = entries[i + 1]
      const tail = e.from === 'you' && (e.state === 'failed' || e.state === 'sending' || !next || next.from !== 'you')
      const said = JSON.stringify([e.text, e.files?.map((f) => [f.id, f.name]), e.name])
      const state = JSON.stringify([e.at, e.state, tail])
      let d = this.drawn.get(e.key)
      if (!d || d.said !== said) {
        const node = bubble(e, tail, this.draws)
        if (d) {
          if (place === d.node) place = node
          d.node.replaceWith(node)
        }
        d = { node, said, state }
        this.drawn.set(e.key, d)
      } else if (d.state !== state) {
        // Not drawn anew: it would come in again, be read out again, and fetch its pictures again.
        restate(d.node, e, tail)
        d.state = state
      }
      if (place === d.node) place = d.node.nextSibling
      else this.log.insertBefore(d.node, place)
    })
    for (const [key, d] of this.drawn) {
      if (live.has(key)) continue
      d.node.remove()
      this.drawn.delete(key)
    }
    this.stick()
  }

  private draws: Bubbling = { ticket: () => this.act.ticket(), say: (text) => this.say(text), grown: () => this.stick() }

  private stick() {
    if (this.down) this.log.scrollTop = this.log.scrollHeight
  }
}
