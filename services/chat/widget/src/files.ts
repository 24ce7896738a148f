import type { FileItem } from './protocol'

export const maxFile = 10 << 20
const shown = /^image\/(png|jpeg|gif)$/

// The ticket goes into a header, so no URL ever opens a file by itself.
export async function upload(file: File, ticket: string): Promise<FileItem> {
  const r = await fetch('upload', {
    method: 'POST',
    headers: { Authorization: 'Bearer ' + ticket, 'X-File-Name': encodeURIComponent(file.name), 'Content-Type': 'application/octet-stream' },
    body: file, credentials: 'omit', referrerPolicy: 'no-referrer',
  })
  if (!r.ok) throw new Error('upload ' + r.status)
  return (await r.json()) as FileItem
}

// A blob URL has this page's origin, so only images ever get a type of their own.
export async function download(id: string, ticket: string): Promise<{ url: string; image: boolean }> {
  const r = await fetch('files/' + encodeURIComponent(id), { headers: { Authorization: 'Bearer ' + ticket }, credentials: 'omit' })
  if (!r.ok) throw new Error('file ' + r.status)
  const kind = r.headers.get('Content-Type') ?? ''
  const image = shown.test(kind)
  const data = new Blob([await r.arrayBuffer()], { type: image ? kind : 'application/octet-stream' })
  return { url: URL.createObjectURL(data), image }
}

export const isImage = (type: string) => shown.test(type)
