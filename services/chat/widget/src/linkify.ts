// Text and links of a message. Only http and https become links; everything else stays text.
export type Part = { text: string; href?: string }

export function linkify(text: string): Part[] {
  const parts: Part[] = []
  let end = 0
  for (const m of text.matchAll(/https?:\/\/[^\s<>"']+/gi)) {
    const found = m[0].replace(/[.,;:!?)\]}]+$/, '')
    let href: string
    try {
      href = new URL(found).href
    } catch {
      continue
    }
    if (m.index > end) parts.push({ text: text.slice(end, m.index) })
    parts.push({ text: found, href })
    end = m.index + found.length
  }
  if (end < text.length) parts.push({ text: text.slice(end) })
  return parts
}
