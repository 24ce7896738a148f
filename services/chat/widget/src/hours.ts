import type { Hours } from './protocol'
import { fill, language, words } from './words'

// When somebody is there again, in the visitor's own time and language.
export function closedText(h: Hours | undefined, now = new Date()): string {
  if (!h || h.open) return ''
  const at = new Date(h.until ?? '')
  const text = h.text || words.closed
  if (isNaN(+at)) return text
  const days = (Number(at) - Number(now)) / 86_400_000
  const when = at.toDateString() === now.toDateString() ? { hour: '2-digit', minute: '2-digit' } as const
    : days < 6 ? { weekday: 'long', hour: '2-digit', minute: '2-digit' } as const
      : { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' } as const
  return text + ' ' + fill(words.back, { when: new Intl.DateTimeFormat(language, when).format(at) })
}
