import { Loader2, Paperclip, X } from 'lucide-react';
import { size } from '../timeline/Attachments';
import { discard, type Enclosed } from './enclosure';

/** The files of a reply. large: those whose size the composer speaks of, which it does once for all. */
export function Files({ conversationId, files, large }: { conversationId: string; files: readonly Enclosed[]; large(file: Enclosed): boolean }) {
  if (files.length === 0) return null;
  return (
    <ul aria-label="Files to send" className="flex flex-wrap gap-1.5 px-3 pb-1">
      {files.map((file) => (
        <li key={file.key} className={`flex min-h-7 items-center gap-1 rounded-lg border ps-2 text-[13px] ${file.error || large(file) ? 'border-danger text-danger' : ''}`}>
          {file.stored || file.error ? <Paperclip size={13} aria-hidden /> : <Loader2 size={13} className="motion-safe:animate-spin" aria-label="Uploading" />}
          <bdi className="max-w-[22ch] truncate">{file.name}</bdi>
          <span className="text-xs text-muted">{large(file) ? size(file.size) : file.error ?? size(file.size)}</span>
          <button aria-label={`Remove ${file.name}`} onClick={() => discard(conversationId, file.key)} className="grid size-7 place-items-center"><X size={13} aria-hidden /></button>
        </li>
      ))}
    </ul>
  );
}
