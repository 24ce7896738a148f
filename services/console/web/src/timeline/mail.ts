import DOMPurify from 'dompurify';
import type { Attachment } from '../gen/weftline/inbox/v1/types_pb';

/** What a mail becomes: a whole document for a sandboxed frame. */
export type Prepared = { html: string; remote: readonly string[] };

const quotedParts = 'blockquote[type="cite"], .gmail_quote, .gmail_quote_container, .moz-cite-prefix, .yahoo_quoted, #divRplyFwdMsg, #appendonsend';

/**
 * Prepares hostile HTML. The hub has sanitised it already; here comes the
 * second layer, and a policy of the frame's own that lets nothing load but
 * data: pictures, whatever slipped through. inline maps Content-IDs to data: URIs;
 * remote maps remote addresses to data: URIs the agent asked for.
 */
export function prepare(raw: string, quoted: boolean, inline: ReadonlyMap<string, string>, remote: ReadonlyMap<string, string>): Prepared {
  const clean = DOMPurify.sanitize(raw, {
    FORBID_TAGS: ['script', 'iframe', 'object', 'embed', 'form', 'input', 'button', 'textarea', 'select', 'link', 'meta', 'base', 'svg', 'math', 'audio', 'video', 'source', 'track'],
    FORBID_ATTR: ['srcset', 'background', 'ping', 'autofocus', 'id', 'name'],
    ALLOW_DATA_ATTR: false,
    ADD_ATTR: ['data-remote-src', 'data-mismatch', 'target'],
    ADD_URI_SAFE_ATTR: ['data-mismatch', 'dir', 'lang', 'width', 'height', 'align', 'valign', 'colspan', 'rowspan', 'bgcolor', 'color', 'border', 'cellpadding', 'cellspacing', 'size', 'face', 'start', 'type'],
    WHOLE_DOCUMENT: false,
    RETURN_DOM_FRAGMENT: true,
    ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel|cid|data:image\/(?:png|jpe?g|gif|webp)[;,])/i,
  });
  if (!quoted) fold(clean);
  const found: string[] = [];
  for (const image of clean.querySelectorAll('img')) settle(image, inline, remote, found);
  for (const link of clean.querySelectorAll('a[href]')) {
    // Without a scheme it would lead into the console itself.
    if (!/^(https?|mailto|tel):/i.test(link.getAttribute('href') ?? '')) {
      link.removeAttribute('href');
      continue;
    }
    link.setAttribute('target', '_blank');
    link.setAttribute('rel', 'noopener noreferrer nofollow');
    link.setAttribute('title', link.getAttribute('href') ?? '');
    // The hub found that the words name another site than the address does.
    if (link.hasAttribute('data-mismatch')) link.after(chip('leads to ' + hostOf(link.getAttribute('href') ?? '')));
  }
  const holder = document.createElement('div');
  holder.append(clean);
  return { html: documentOf(holder.innerHTML), remote: [...new Set(found)] };
}

function fold(root: DocumentFragment): void {
  const quotes = root.querySelectorAll(quotedParts);
  for (const quote of quotes) quote.remove();
}

function settle(image: HTMLImageElement, inline: ReadonlyMap<string, string>, remote: ReadonlyMap<string, string>, found: string[]): void {
  const src = image.getAttribute('data-remote-src') ?? image.getAttribute('src') ?? '';
  image.removeAttribute('data-remote-src');
  if (/^data:image\//i.test(src)) return;
  if (/^cid:/i.test(src)) {
    const data = inline.get(src.slice(4).replace(/^<|>$/g, ''));
    if (data) image.setAttribute('src', data);
    else image.replaceWith(chip(image.getAttribute('alt') || 'picture'));
    return;
  }
  const url = src.startsWith('//') ? 'https:' + src : src;
  if (!/^https?:\/\//i.test(url)) {
    image.remove();
    return;
  }
  const data = remote.get(url);
  if (data) {
    image.setAttribute('src', data);
    return;
  }
  const tiny = Number(image.getAttribute('width') ?? 99) <= 3 || Number(image.getAttribute('height') ?? 99) <= 3;
  if (tiny) {
    image.remove();
    return;
  }
  found.push(url);
  image.replaceWith(chip(image.getAttribute('alt') || hostOf(url), url));
}

/** What stands where a picture is not shown; a remote one can be opened by itself. */
function chip(words: string, url?: string): HTMLElement {
  const mark = document.createElement(url ? 'a' : 'span');
  if (url) mark.setAttribute('href', url);
  mark.className = 'wl-picture';
  mark.textContent = words;
  return mark;
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'elsewhere';
  }
}

const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";

function documentOf(body: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="referrer" content="no-referrer"><style>
html,body{margin:0;padding:0;background:#fff;color:#16211f;color-scheme:light}
body{padding:10px 12px;font:14px/1.45 Inter,system-ui,sans-serif;overflow-wrap:anywhere;overflow-x:auto}
body>:first-child,body>:first-child>:first-child{margin-block-start:0}body>:last-child,body>:last-child>:last-child{margin-block-end:0}
img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}blockquote{margin-inline:0;padding-inline-start:10px;border-inline-start:3px solid #b9c4c0;color:#55645f}
a{color:#0a5f59}.wl-picture{display:inline-block;padding:2px 8px;border:1px dashed #7d8b87;border-radius:6px;color:#55645f;font-size:12px;text-decoration:none}
</style></head><body dir="auto">${body}</body></html>`;
}

const longest = 4_000_000;

/** Fetches inline pictures with the agent's session and turns them into data: URIs; the frame itself has no session. */
export async function inlinePictures(attachments: readonly Attachment[], html: string): Promise<ReadonlyMap<string, string>> {
  const wanted = attachments.filter((a) => a.contentId && a.contentType.startsWith('image/') && Number(a.size) <= longest && html.includes('cid:' + a.contentId));
  const pairs = await Promise.all(wanted.map(async (a) => [a.contentId, await dataOf(`/attachments/${encodeURIComponent(a.id)}`)] as const));
  return new Map(pairs.flatMap(([id, data]) => (data ? [[id, data] as const] : [])));
}

/** Fetches remote pictures through the hub, which hides the agent from the sender. Those it does not give are missing. */
export async function remotePictures(urls: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const pairs = await Promise.all(urls.slice(0, 40).map(async (url) => [url, await dataOf('/api/remote-image?url=' + encodeURIComponent(url))] as const));
  return new Map(pairs.flatMap(([url, data]) => (data ? [[url, data] as const] : [])));
}

async function dataOf(address: string): Promise<string | undefined> {
  try {
    const answer = await fetch(address);
    const type = answer.headers.get('content-type') ?? '';
    if (!answer.ok || !/^image\/(png|jpe?g|gif|webp)/i.test(type)) return undefined;
    const blob = await answer.blob();
    if (blob.size > longest) return undefined;
    return await new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result));
      reader.onerror = () => resolve(undefined);
      reader.readAsDataURL(blob);
    });
  } catch {
    return undefined;
  }
}
