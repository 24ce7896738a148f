import { FileText, FileX, Image, Paperclip } from 'lucide-react';
import { useState } from 'react';
import type { Attachment } from '../gen/weftline/inbox/v1/types_pb';

/** "3 KB", "1.2 MB". */
export function size(bytes: bigint | number): string {
  const n = Number(bytes);
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${Math.round(n / 1024)} KB`;
  return `${(n / 1024 / 1024).toFixed(1)} MB`;
}

const pictures = /^image\/(png|jpe?g|gif|webp|avif)$/i;

/** Files that came with a message. Pictures are shown small; everything else is downloaded. */
export function Attachments({ of }: { of: readonly Attachment[] }) {
  const files = of.filter((one) => !one.inline);
  if (files.length === 0) return null;
  return (
    <ul aria-label="Attachments" className="mt-1.5 mb-1 flex flex-wrap gap-2">
      {files.map((file, at) => {
        if (file.missing) {
          return (
            <li key={`missing ${at}`} className="max-w-full rounded-lg border border-dashed px-2 py-1 text-[13px] text-muted">
              <FileX size={14} aria-hidden className="mr-1.5 inline" /><bdi>{file.name || 'Unnamed file'}</bdi>: no file, {file.missing}
            </li>
          );
        }
        return <One key={file.id} file={file} />;
      })}
    </ul>
  );
}

/** One file. A picture that the hub or the browser does not show, because it is damaged or has too many pixels, is a file, too, and says why. */
function One({ file }: { file: Attachment }) {
  const [broken, setBroken] = useState(false);
  const picture = !broken && pictures.test(file.contentType) && Number(file.size) < 8_000_000;
  const Icon = picture ? Image : file.contentType.startsWith('text/') ? FileText : Paperclip;
  const address = `/attachments/${encodeURIComponent(file.id)}`;
  return (
    <li className="max-w-full">
      <a href={address} {...(picture ? { target: '_blank', rel: 'noreferrer' } : { download: file.name })} className="block overflow-hidden rounded-lg border bg-panel hover:border-line-strong">
        {picture && <img src={address} alt="" loading="lazy" onError={() => setBroken(true)} className="h-28 min-w-28 bg-sunken object-cover" />}
        <span className="flex min-h-8 flex-wrap items-center gap-x-1.5 px-2 py-1 text-[13px]">
          <Icon size={14} aria-hidden className="shrink-0 text-muted" /><bdi className="max-w-[24ch] truncate">{file.name || 'Unnamed file'}</bdi><span className="text-xs text-muted">{size(file.size)}</span>
          {broken && <span className="text-xs text-muted">not shown: the picture is damaged or too large</span>}
        </span>
      </a>
    </li>
  );
}
