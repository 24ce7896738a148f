import { el } from './dom'
import type { Proof } from './protocol'
import { fill, words } from './words'

interface Acts {
  email(address: string): void
  phone(number: string): void
  prove(address: string, phone: boolean): void
  code(id: string, code: string): void
  proven(address: string, phone: boolean, wanted: boolean): void
}

// Card asks for an address or a number, and where the hub can, has it proven by a code.
export class Card {
  readonly node = el('form', { class: 'card', hidden: '' })
  provable = false
  mails = false // an address that is proven is written to
  private field = el('input', { type: 'email', required: '', maxlength: '254', autocomplete: 'email', dir: 'ltr', 'aria-label': words.emailLabel, placeholder: words.emailLabel })
  private mobile = el('input', { type: 'tel', required: '', maxlength: '64', autocomplete: 'tel', dir: 'ltr', 'aria-label': words.smsLabel })
  private phone = false // a number, not an address
  private address = ''
  private to = '' // as the hub shows it
  private wanted = false
  private id = ''

  constructor(private act: Acts) {
    this.show(words.email, () => {
      this.address = this.field.value.trim()
      this.act.email(this.address)
      this.offer(words.emailThanks)
    }, this.field, words.emailSend)
  }

  get busy() {
    return !!this.address || this.wanted || this.phone
  }

  // Where may the chat be sent? There, once it is proven.
  where() {
    this.wanted = true
    this.begin(false)
    this.show(words.mailWhere, () => {
      this.address = this.field.value.trim()
      this.act.prove(this.address, false)
    }, this.field, words.proveSend)
    this.field.focus()
  }

  // Which number do answers follow to? Agents hear of it, a code proves it.
  number(like: string, to?: string) {
    this.wanted = false
    this.begin(true)
    this.mobile.placeholder = like
    this.ring(to ? fill(words.smsOn, { to }) : words.smsWhere)
  }

  // The number is with the hub: now it is proven.
  left() {
    if (this.phone && this.address) this.act.prove(this.address, true)
  }

  // The form has asked for it: all that is left is to prove it.
  given(address?: string) {
    if (!address || !this.provable || this.busy) return
    this.address = address
    this.offer(words.emailThanks)
  }

  heard(p: Proof) {
    this.id = p.id
    this.to = p.to ?? this.to
    if (p.state === 'proven') {
      this.show(this.phone ? fill(words.smsProven, { to: this.to }) : words.proven)
      this.act.proven(this.phone ? this.to : this.address, this.phone, this.wanted)
      this.wanted = false
    }
    else if (p.state === 'over') this.offer(words.codeOver)
    else if (this.phone && p.state === 'sent') this.ask(fill(words.codeSent, { to: p.to ?? this.address }) + ' ' + words.codeStop) // said to everybody
    else this.ask(p.state === 'wrong' ? fill(words.codeWrong, { n: p.tries_left ?? 0 }) : fill(words.codeSent, { to: p.to ?? this.address }))
  }

  refused(e: { code: string; field?: string; limit?: number; example?: string }) {
    if (this.phone && e.field === 'phone') {
      this.ring(e.example ? fill(words.smsBad, { n: e.limit ?? 15, like: e.example }) : words.codeBad)
      this.mobile.setAttribute('aria-invalid', 'true')
    }
    else if (this.address) this.offer(e.code === 'rate' ? words.codeRate : e.code === 'invalid' ? words.codeBad : this.id ? words.codeOver : words.codeLater)
  }

  private begin(phone: boolean) {
    this.phone = phone
    this.address = this.id = ''
    this.node.hidden = false
  }

  private ring(text: string) {
    this.address = ''
    this.mobile.removeAttribute('aria-invalid')
    this.show(text, () => {
      this.address = this.mobile.value.trim()
      this.act.phone(this.address)
    }, this.mobile, words.proveSend)
    this.mobile.focus()
  }

  private offer(text: string) {
    const again = () => this.act.prove(this.address, this.phone)
    if (this.phone) this.show(text, again, '', words.proveSend)
    else if (this.provable) this.show(text + ' ' + (this.mails ? words.proveMail : words.prove), again, '', words.proveSend)
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
