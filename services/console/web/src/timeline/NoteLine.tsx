import { Lock } from 'lucide-react';
import { useAgentName } from '../api/queries';
import type { Note, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { When } from '../ui/When';
import { EntryTools } from './EntryTools';
import { Said } from './Said';
import { Whose } from './Whose';

/** An internal note: amber, dashed, with a lock and words, so it cannot be taken for a reply. */
export function NoteLine({ entry, note }: { entry: TimelineEntry; note: Note }) {
  const name = useAgentName();
  return (
    <article aria-label={`Internal note by ${name(note.author)}`} className="group my-2 ms-auto max-w-[85%] rounded-xl border border-dashed border-note-line bg-note px-3.5 py-2 text-note-ink">
      <header className="mb-0.5 flex flex-wrap items-center gap-x-1.5 text-xs font-semibold">
        <Lock size={12} aria-hidden />Note · <bdi>{name(note.author)}</bdi>
        <span className="font-normal">· Only your team</span>
        <Whose entry={entry} />
        <span className="ms-auto flex items-center gap-1 font-normal"><EntryTools entry={entry} /><When at={entry.recordedAt} /></span>
      </header>
      <Said text={note.text} />
    </article>
  );
}
