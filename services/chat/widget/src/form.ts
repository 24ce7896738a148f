import { el } from './dom'
import type { Answers, FormFrame } from './protocol'
import { fill, words } from './words'

const labels: Record<string, 'name' | 'emailLabel' | 'phone' | 'question'> = { name: 'name', email: 'emailLabel', phone: 'phone', question: 'question' }
const kinds: Record<string, Record<string, string>> = {
  name: { autocomplete: 'name', maxlength: '120', dir: 'auto' },
  email: { type: 'email', autocomplete: 'email', maxlength: '254', dir: 'ltr' },
  phone: { type: 'tel', autocomplete: 'tel', inputmode: 'tel', maxlength: '64', dir: 'ltr' },
  question: { rows: '3', maxlength: '2000', dir: 'auto' },
}

// Form is what the inbox asks before the chat. The hub checks again.
export class Form {
  readonly node = el('form', { class: 'ask', hidden: '', novalidate: '', 'aria-label': words.form })
  private fields = new Map<string, HTMLInputElement | HTMLTextAreaElement>()

  private shown = ''

  constructor(private done: (a: Answers) => void) {}

  get open() {
    return !this.node.hidden
  }

  // The same questions again keep what was typed.
  show(f: FormFrame | undefined) {
    this.node.hidden = !f
    const print = JSON.stringify(f)
    if (!f || this.shown === print) return
    this.shown = print
    this.fields.clear()
    this.node.replaceChildren()
    this.node.append(el('h2', {}, words.form))
    for (const one of f.fields) {
      const label = (one.name === 'question' && f.question) || words[labels[one.name]]
      const field = el(one.name === 'question' ? 'textarea' : 'input', { ...kinds[one.name], name: one.name, ...(one.required ? { required: '' } : {}) })
      this.add(one.name, field, el('span', { dir: 'auto' }, label), one.required ? '' : el('small', {}, ' ' + words.optional))
    }
    if (f.consent) this.add('consent', el('input', { type: 'checkbox', name: 'consent', required: '' }), el('span', { dir: 'auto' }, f.consent))
    this.node.append(el('button', { type: 'submit' }, words.start))
    this.node.onsubmit = (e) => {
      e.preventDefault()
      this.submit()
    }
  }

  focus() {
    this.fields.values().next().value?.focus()
  }

  refused(field: string, limit?: number, code = 'invalid') {
    const text = field === 'consent' ? words.agree : code === 'form_required' ? words.missing
      : limit && (field === 'name' || field === 'question') && (this.fields.get(field)?.value.length ?? 0) > limit ? fill(words.longest, { n: limit }) : words.wrong
    this.wrong(field, text)
  }

  private add(name: string, field: HTMLInputElement | HTMLTextAreaElement, ...label: (Node | string)[]) {
    field.id = 'f-' + name
    const text = el('label', { for: field.id }, ...label)
    const note = el('p', { class: 'bad', id: field.id + '-bad', role: 'alert' })
    field.oninput = () => this.right(field, note)
    this.fields.set(name, field)
    this.node.append(el('div', { class: name === 'consent' ? 'row' : '' }, ...(name === 'consent' ? [field, text] : [text, field]), note))
  }

  private right(field: HTMLElement, note: HTMLElement) {
    note.textContent = ''
    field.removeAttribute('aria-invalid')
    field.removeAttribute('aria-describedby')
  }

  private wrong(name: string, text: string) {
    const field = this.fields.get(name)
    const note = document.getElementById('f-' + name + '-bad')
    if (!field || !note) return
    note.textContent = text
    field.setAttribute('aria-invalid', 'true')
    field.setAttribute('aria-describedby', note.id)
    field.focus()
  }

  private submit() {
    const a: Answers = {}
    for (const [name, field] of [...this.fields].reverse()) {
      const value = name === 'consent' ? (field as HTMLInputElement).checked : field.value.trim()
      if (field.required && !value) this.wrong(name, name === 'consent' ? words.agree : words.missing)
      else if (value && !field.checkValidity()) this.wrong(name, words.wrong)
      else if (value) (a as Record<string, unknown>)[name] = value
    }
    if (!this.node.querySelector('[aria-invalid]')) this.done(a)
  }
}
