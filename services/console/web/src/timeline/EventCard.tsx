import { ExternalLink, Zap } from 'lucide-react';
import { memo } from 'react';
import type { BusinessEvent, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { When } from '../ui/When';
import { EntryTools } from './EntryTools';

/** JSON as people read it, or as it came. */
export function pretty(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), null, 2);
  } catch {
    return payload;
  }
}

/** Something that happened in the business: an order, a payment, a page view. */
export const EventCard = memo(function EventCard({ entry, event }: { entry: TimelineEntry; event: BusinessEvent }) {
  const safe = /^https?:\/\//i.test(event.link) ? event.link : '';
  return (
    <article aria-label={`Event: ${event.title || event.type}`} className="group mx-auto my-2 max-w-[85%] rounded-xl border border-line-strong/40 bg-sunken px-3.5 py-2">
      <header className="flex flex-wrap items-center gap-x-2 text-xs text-muted">
        <Zap size={13} aria-hidden /><bdi dir="ltr">{event.type}</bdi>{event.source && <span>from <bdi>{event.source}</bdi></span>}
        <span className="ms-auto flex items-center gap-1"><EntryTools entry={entry} /><When at={entry.occurredAt ?? entry.recordedAt} /></span>
      </header>
      <p dir="auto" className="font-medium">{safe ? <a href={safe} target="_blank" rel="noopener noreferrer" className="inline-flex min-h-6 items-center text-accent-text underline underline-offset-2">{event.title || event.type}<ExternalLink size={12} aria-hidden className="ms-1 inline" /><span className="sr-only"> (opens in a new tab)</span></a> : event.title || event.type}</p>
      {event.payload && event.payload !== '{}' && (
        <details>
          <summary className="min-h-7 w-fit cursor-pointer py-1 text-xs text-muted underline underline-offset-2">Details</summary>
          <pre dir="ltr" tabIndex={0} aria-label="Details of the event" className="scroll mt-1 max-h-60 overflow-auto rounded-lg bg-panel p-2 text-xs">{pretty(event.payload)}</pre>
        </details>
      )}
    </article>
  );
});
