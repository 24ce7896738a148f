import { useState } from 'react';
import type { Message, MessageChange, Reaction, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { ChannelIcon } from '../ui/Channel';
import { When } from '../ui/When';
import { Attachments } from './Attachments';
import { Said } from './Said';

/** That its sender edited or deleted a message, and what it said before. */
export function Changed({ message }: { message: Message }) {
  const [open, setOpen] = useState(false);
  if (!message.editedAt && !message.deletedAt) return null;
  const at = message.deletedAt ?? message.editedAt;
  return (
    <div className="text-xs text-muted">
      <span>{message.deletedAt ? 'deleted' : 'edited'} <When at={at} /></span>
      {message.earlier.length > 0 && <button aria-expanded={open} className="ms-2 min-h-6 underline underline-offset-2" onClick={() => setOpen(!open)}>{open ? 'Hide' : message.deletedAt ? 'Show what it said' : 'Show original'}</button>}
      {open && (
        <ol aria-label="Earlier versions" className="mt-1 space-y-2 border-s-2 border-line-strong/50 ps-3">
          {message.earlier.map((version, i) => <li key={i}><When at={version.at} /><Said text={version.text || '(no text)'} /><Attachments of={version.attachments} /></li>)}
        </ol>
      )}
    </div>
  );
}

/** Reactions to a message. */
export function Reactions({ of }: { of: readonly Reaction[] }) {
  if (of.length === 0) return null;
  return (
    <ul aria-label="Reactions" className="-mt-1 flex flex-wrap gap-1 px-2">
      {of.map((reaction) => <li key={reaction.handleId + reaction.emoji} title={reaction.fromName || undefined} className="rounded-full border bg-panel px-1.5 py-px text-[13px]"><bdi>{reaction.emoji}</bdi></li>)}
    </ul>
  );
}

/** What was done to a message that is not here. */
export function changeWords(change: MessageChange): string {
  switch (change.action) {
    case 'edited': return 'edited a message that is not here; it reads now:';
    case 'deleted': return 'deleted a message that is not here';
    case 'reacted': return `reacted ${change.emoji} to a message that is not here`;
    case 'unreacted': return 'took back a reaction to a message that is not here';
    default: return 'changed a message that is not here';
  }
}

/** A change whose message is not known, or not its sender's: a line of its own. */
export function ChangeLine({ entry, change }: { entry: TimelineEntry; change: MessageChange }) {
  const who = change.message?.fromName || change.message?.from || entry.handle?.address || 'Customer';
  return (
    <article aria-label={`Change by ${who}`} className="flex flex-wrap items-center gap-x-1.5 px-1 py-1 text-xs text-muted">
      <ChannelIcon channel={entry.channel} size={13} /><bdi className="font-semibold text-ink">{who}</bdi><span>{changeWords(change)}</span><When at={entry.recordedAt} />
      {change.action === 'edited' && <div className="w-full text-[13px] text-ink"><Said text={change.message?.text ?? ''} /><Attachments of={change.message?.attachments ?? []} /></div>}
    </article>
  );
}
