import { el } from './dom'
import type { Proof } from './protocol'
import { fill, words } from './words'

// Card asks for an address, and where the hub can, has it proven by a code.
export class Card {
  readonly node = el('form', { class: 'card', hidden: '' })
  provable = false
  mails = false // an address that is proven is written to
  private field = el('input', { type: 'email', required: '', maxlength: '254', autocomplete: 'email', dir: 'ltr', 'aria-label': words.emailLabel, placeholder: words.emailLabel })
  private address = ''
  private wanted = false
  private id = ''

  constructor(private act: { email(address: string): void; prove(address: string): void; code(id: string, code: string): void; proven(address: string, wanted: boolean): void }) {
    this.show(words.email, () => {
      this.address = this.field.value.trim()
      this.act.email(this.address)
      this.offer(words.emailThanks)
    }, this.field, words.emailSend)
  }

  get busy() {
    return !!this.address || this.wanted
  }

  // Where may the chat be sent? There, once it is proven.
  where() {
    this.wanted = true
    this.node.hidden = false
    this.show(words.mailWhere, () => {
      this.address = this.field.value.trim()
      this.act.prove(this.address)
    }, this.field, words.proveSend)
    this.field.focus()
  }

  heard(p: Proof) {
    this.id = p.id
    if (p.state === 'proven') {
      this.show(words.proven)
      this.act.proven(this.address, this.wanted)
      this.wanted = false
    }
    else if (p.state === 'over') this.offer(words.codeOver)
    else this.ask(p.state === 'wrong' ? fill(words.codeWrong, { n: p.tries_left ?? 0 }) : fill(words.codeSent, { to: p.to ?? this.address }))
  }

  refused(code: string) {
    if (this.address) this.offer(code === 'rate' ? words.codeRate : code === 'invalid' ? words.codeBad : words.codeOver)
  }

  private offer(text: string) {
    if (this.provable) this.show(text + ' ' + (this.mails ? words.proveMail : words.prove), () => this.act.prove(this.address), '', words.proveSend)
    else this.show(text)
  }

  private ask(text: string) {
    const field = el('input', { required: '', inputmode: 'numeric', autocomplete: 'one-time-code', maxlength: '12', 'aria-label': words.codeLabel, placeholder: words.codeLabel })
    this.show(text, () => this.act.code(this.id, field.value), field, words.codeSend)
    field.focus()
  }

  private show(text: string, go?: () => void, field?: HTMLElement | '', button?: string) {
    this.node.replaceChildren(el('p', { role: 'status' }, text))
    if (field) this.node.append(field)
    if (button) this.node.append(el('button', { type: 'submit' }, button))
    this.node.onsubmit = (e) => {
      e.preventDefault()
      go?.()
    }
  }
}
