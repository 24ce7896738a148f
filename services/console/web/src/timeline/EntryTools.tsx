import { History } from 'lucide-react';
import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { IconButton } from '../ui/Button';
import { useTimeline } from './context';

/** What can be done from an entry; out of sight until it is pointed at or reached by key. */
export function EntryTools({ entry }: { entry: TimelineEntry }) {
  const { asOf } = useTimeline();
  if (!asOf) return null;
  return <IconButton label="Show the timeline as of here" className="size-6! rounded! text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 [@media(hover:none)]:opacity-100" onClick={() => asOf(entry)}><History size={13} aria-hidden /></IconButton>;
}
