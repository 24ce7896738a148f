import { el, icon } from './dom'
import { download, isImage } from './files'
import { linkify } from './linkify'
import type { FileItem } from './protocol'
import type { Entry } from './transcript'
import { language, words } from './words'

export interface Bubbling { ticket(): string; say(text: string): void; grown(): void }

// bubble is one message as it is shown; tail says that its state is, too.
export function bubble(e: Entry, tail: boolean, on: Bubbling): HTMLElement {
  const body = el('div', { class: 'bubble', dir: 'auto' })
  for (const p of linkify(e.text ?? '')) {
    body.append(p.href ? el('a', { href: p.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, p.text) : p.text)
  }
  const item = el('article')
  if (e.from === 'us' && e.name) item.append(el('span', { class: 'name', dir: 'auto' }, e.name))
  else if (e.from === 'you') item.append(el('span', { class: 'sr' }, words.you))
  if (e.text) item.append(body)
  for (const f of e.files ?? []) item.append(attached(f, on))
  item.append(el('span', { class: 'meta' }))
  restate(item, e, tail)
  return item
}

// restate shows a message's state in its bubble, and leaves the rest of it alone.
export function restate(item: HTMLElement, e: Entry, tail: boolean) {
  item.className = e.from + ' ' + e.state
  const time = new Date(e.at)
  const meta = item.lastElementChild!
  meta.replaceChildren(el('time', { datetime: e.at }, isNaN(+time) ? '' : time.toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit' })))
  if (tail && e.state) meta.append(' · ' + words[e.state as 'sent'])
}

function attached(f: FileItem, on: Bubbling): HTMLElement {
  const size = f.size > 1 << 20 ? (f.size / (1 << 20)).toFixed(1) + ' MB' : Math.max(1, Math.round(f.size / 1024)) + ' KB'
  const button = el('button', { type: 'button', class: 'file', dir: 'auto' }, icon('M6 3h8l5 5v13H6zM14 3v5h5'), f.name + ' ', el('small', {}, size))
  const fetchIt = () => download(f.id, on.ticket())
  button.onclick = async () => {
    try {
      const { url } = await fetchIt()
      const a = el('a', { href: url, download: f.name })
      a.click()
      setTimeout(() => URL.revokeObjectURL(url), 60_000)
    } catch {
      on.say(words.unavailable)
    }
  }
  if (isImage(f.type)) {
    fetchIt().then(({ url, image }) => {
      if (!image) return URL.revokeObjectURL(url)
      const img = el('img', { alt: f.name, src: url })
      img.onload = () => {
        URL.revokeObjectURL(url)
        on.grown()
      }
      button.prepend(img)
    }, () => {})
  }
  return button
}
