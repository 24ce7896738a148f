import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useAgentName, useMe } from '../api/queries';
import type { Conversation, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { isOn } from '../live/cache';
import { useLive } from '../live/store';
import { useOutbox } from '../outbox/outbox';
import { shownAlready } from '../outbox/sender';
import { called } from '../person/called';
import { Button } from '../ui/Button';
import { Failed } from '../ui/State';
import { Activities } from './Activities';
import { ChannelLine } from './ChannelLine';
import { TimelineProvider, type TimelineContext } from './context';
import { ChangeLine } from './Changed';
import { DayLine } from './DayLine';
import { Divider } from './Divider';
import { EventCard } from './EventCard';
import { linesOf } from './lines';
import { MessageLine } from './MessageLine';
import { NoteLine } from './NoteLine';
import { PendingLine } from './PendingLine';
import type { Source } from './source';
import { topicOf } from './topics';

/** This near to the end counts as being there, px. */
const nearEnd = 60;

type Props = { row: Conversation; source: Source; context: TimelineContext; onAtEnd(atEnd: boolean): void };

/** Everything said by and to the person, on all channels, in one column. Only what is in view is drawn. */
export function Timeline({ row, source, context, onAtEnd }: Props) {
  const { entries, live } = source;
  const customerName = called(row.customerName, row.customerId);
  const all = useOutbox((s) => s.items);
  const pending = useMemo(
    () => (live ? all.filter((item) => isOn(source, item.customerId) && !shownAlready(item, entries)) : []),
    [all, live, source.members, entries],
  );
  const topic = useMemo(() => topicOf(source), [source.topics]);
  const lines = useMemo(() => linesOf(entries, pending, topic), [entries, pending, topic]);
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const pinned = useRef(true);
  const latest = useRef(onAtEnd);
  latest.current = onAtEnd;
  const [error, setError] = useState<unknown>();

  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => ({ day: 36, divider: 44, channel: 30, activities: 28, entry: 96, pending: 84 })[lines[index]!.kind],
    getItemKey: (index) => lines[index]!.key,
    overscan: 6,
    paddingStart: 12,
    paddingEnd: 16,
    anchorTo: 'end',
    followOnAppend: live,
    scrollEndThreshold: nearEnd,
  });

  useLayoutEffect(() => {
    pinned.current = true;
    virtual.scrollToEnd();
  }, [source.key]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let [height, room] = [element.scrollHeight, element.clientHeight];
    const near = (): boolean => element.scrollHeight - element.scrollTop - element.clientHeight <= nearEnd;
    const settle = (there: boolean): void => {
      pinned.current = there;
      setAtEnd(there);
      latest.current(there);
    };
    // Only a scroll leaves the end. A line that grows or a composer that opens does not.
    const scrolled = (): void => {
      const grew = element.scrollHeight !== height || element.clientHeight !== room;
      [height, room] = [element.scrollHeight, element.clientHeight];
      if (grew && pinned.current && !near()) virtual.scrollToEnd();
      else settle(near());
    };
    const observer = new ResizeObserver(() => {
      [height, room] = [element.scrollHeight, element.clientHeight];
      if (pinned.current) virtual.scrollToEnd();
    });
    observer.observe(element);
    settle(true);
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', scrolled);
    };
  }, [source.key]);
  const total = virtual.getTotalSize();
  useLayoutEffect(() => {
    if (pinned.current) virtual.scrollToEnd();
  }, [total]);
  const sent = pending.length;
  useEffect(() => {
    if (sent > 0) virtual.scrollToEnd();
  }, [sent]);

  const drawn = virtual.getVirtualItems();
  const first = drawn[0]?.index ?? 0;
  const { older, loadOlder } = source;
  useEffect(() => {
    // While the end is shown the beginning is not asked for, unless both fit.
    const short = total - (box.current?.clientHeight ?? 0) < 400;
    if (older && first <= 3 && (!atEnd || short) && error === undefined && drawn.length > 0) void loadOlder().catch(setError);
  }, [older, loadOlder, first, atEnd, total, error, source.key, drawn.length]);
  const more = (): void => {
    // What comes is read from where the reader is.
    pinned.current = false;
    void source.loadNewer().catch(setError);
  };

  const fresh = useFresh(entries, atEnd);
  return (
    <TimelineProvider value={context}>
    <div className="absolute inset-0">
      <div
        ref={box}
        role="log"
        aria-label={`Timeline of ${customerName}`}
        aria-live={atEnd ? 'polite' : 'off'}
        data-pane-focus
        tabIndex={0}
        className="scroll h-full overflow-x-hidden [overflow-anchor:none] focus-visible:outline-offset-[-2px]"
      >
        {error !== undefined && <Failed what="More messages could not be loaded." error={error} onRetry={() => setError(undefined)} />}
        <div className="relative mx-auto w-full max-w-[860px]" style={{ height: total }}>
          {/* Only the first is placed, the others follow it: a mail that grows pushes them before it is measured, and never lies over them. */}
          <div className="absolute inset-x-0 top-0" style={{ transform: `translateY(${drawn[0]?.start ?? 0}px)` }}>
            {drawn.map((item) => {
              const line = lines[item.index]!;
              return (
                <div key={item.key} data-index={item.index} ref={virtual.measureElement} className="flow-root px-3 min-[500px]:px-5">
                  {line.kind === 'day' && <DayLine at={line.at} />}
                  {line.kind === 'channel' && <ChannelLine channel={line.channel} inboxId={line.inboxId} />}
                  {line.kind === 'divider' && <Divider conversationId={line.conversationId} channel={line.channel} inboxId={line.inboxId} current={line.topicId === topic(row.id)} source={source} />}
                  {line.kind === 'activities' && <Activities entries={line.entries} />}
                  {line.kind === 'pending' && <PendingLine item={line.item} />}
                  {line.kind === 'entry' && line.entry.body.case === 'note' && <NoteLine entry={line.entry} note={line.entry.body.value} />}
                  {line.kind === 'entry' && line.entry.body.case === 'event' && <EventCard entry={line.entry} event={line.entry.body.value} />}
                  {line.kind === 'entry' && line.entry.body.case === 'change' && <ChangeLine entry={line.entry} change={line.entry.body.value} />}
                  {line.kind === 'entry' && line.entry.body.case === 'message' && <MessageLine entry={line.entry} message={line.entry.body.value} follows={line.follows} customerName={customerName} />}
                </div>
              );
            })}
          </div>
        </div>
        {entries.length === 0 && <p className="p-8 text-center text-muted">Nothing of this kind.</p>}
      </div>
      {atEnd && source.newer && <Button small className="absolute inset-x-0 bottom-3 mx-auto w-fit rounded-full! shadow-pop!" onClick={more}><ArrowDown size={14} aria-hidden />Show what came next</Button>}
      {!atEnd && (
        <Button small look={fresh > 0 ? 'primary' : 'plain'} className="absolute inset-x-0 bottom-3 mx-auto w-fit rounded-full! shadow-pop!" onClick={() => virtual.scrollToEnd({ behavior: 'smooth' })}>
          <ArrowDown size={14} aria-hidden />{fresh > 0 ? `${fresh} new ${fresh === 1 ? 'message' : 'messages'}` : source.newer ? 'To the end of the page' : 'To the newest'}
        </Button>
      )}
      {live && <Typing conversationId={row.id} />}
      <div className="sr-only" role="status">{!atEnd && fresh > 0 ? `${fresh} new below` : ''}</div>
    </div>
    </TimelineProvider>
  );
}

/** How many entries came in since the agent left the end. */
function useFresh(entries: readonly TimelineEntry[], atEnd: boolean): number {
  const left = useRef<string | undefined>(undefined);
  const last = entries[entries.length - 1]?.position;
  if (atEnd) left.current = last;
  const since = left.current;
  return useMemo(
    () => (since === undefined || atEnd ? 0 : entries.filter((entry) => entry.position > since && entry.body.case !== 'activity').length),
    [entries, since, atEnd],
  );
}

function Typing({ conversationId }: { conversationId: string }) {
  const me = useMe();
  const name = useAgentName();
  const presence = useLive((s) => s.presence.get(conversationId));
  const writers = presence?.viewers.filter((viewer) => viewer.typing && viewer.agentId !== me.id).map((viewer) => viewer.name || name(viewer.agentId)) ?? [];
  const words = [
    ...(presence?.customerTyping ? ['The customer is typing…'] : []),
    ...(writers.length > 0 ? [`${writers.join(', ')} ${writers.length === 1 ? 'is' : 'are'} writing a reply…`] : []),
  ];
  if (words.length === 0) return null;
  return <p role="status" className="pointer-events-none absolute start-4 bottom-2 rounded-full border bg-raised px-3 py-1 text-xs text-accent-text italic shadow-sm">{words.join(' ')}</p>;
}
