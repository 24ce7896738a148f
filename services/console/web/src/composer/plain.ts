/** The editor's document, as far as it matters here. */
export type Node = { type?: string; text?: string; content?: Node[]; marks?: { type: string; attrs?: Record<string, unknown> }[]; attrs?: Record<string, unknown> };

/** What a channel without formatting gets: every paragraph a line, lists with their marks, a link with its address. */
export function toPlain(doc: Node): string {
  return blocks(doc.content ?? [], '').join('\n').replace(/[ \t]+\n/g, '\n').replace(/\s+$/, '').replace(/^\n+/, '');
}

function blocks(nodes: readonly Node[], indent: string): string[] {
  const lines: string[] = [];
  for (const node of nodes) {
    switch (node.type) {
      case 'bulletList':
      case 'orderedList':
        (node.content ?? []).forEach((item, i) => {
          const mark = node.type === 'orderedList' ? `${Number(node.attrs?.start ?? 1) + i}. ` : '- ';
          const inner = blocks(item.content ?? [], '');
          inner.forEach((line, n) => lines.push(indent + (n === 0 ? mark : ' '.repeat(mark.length)) + line));
        });
        break;
      case 'blockquote':
        for (const line of blocks(node.content ?? [], '')) lines.push(indent + '> ' + line);
        break;
      default:
        for (const line of inline(node.content ?? []).split('\n')) lines.push(indent + line);
    }
  }
  return lines;
}

function inline(nodes: readonly Node[]): string {
  return nodes.map((node) => {
    if (node.type === 'hardBreak') return '\n';
    const text = node.text ?? '';
    const href = node.marks?.find((mark) => mark.type === 'link')?.attrs?.href;
    return typeof href === 'string' && href !== text && href !== 'mailto:' + text ? `${text} (${href})` : text;
  }).join('');
}

/** Mail clients put space around paragraphs; the agent saw lines. */
export function toMail(html: string): string {
  return html.replaceAll('<p></p>', '<p><br></p>').replaceAll(/<p(?=[ >])/g, '<p style="margin:0"');
}

/** Words from elsewhere become the editor's paragraphs; the editor's own form stays as it is. */
export function toSource(text: string): string {
  if (/^<(p|ul|ol|blockquote)\b/.test(text)) return text;
  if (!text) return '';
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return safe.split('\n').map((line) => `<p>${line}</p>`).join('');
}
