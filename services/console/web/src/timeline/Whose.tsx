import { UserRound } from 'lucide-react';
import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { useTimeline } from './context';

/** Marks an entry that is kept with another customer of the person than the conversation on screen. */
export function Whose({ entry }: { entry: TimelineEntry }) {
  const { customerId, memberName } = useTimeline();
  const name = customerId && entry.customerId !== customerId ? memberName(entry.customerId) : '';
  if (!name) return null;
  return <span title="Kept with another customer of this person" className="inline-flex items-center gap-0.5 rounded bg-ink/8 px-1 font-normal text-ink"><UserRound size={11} aria-hidden /><span className="sr-only">Kept with </span><bdi>{name}</bdi></span>;
}
