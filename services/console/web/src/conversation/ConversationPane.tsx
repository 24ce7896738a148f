import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { MessagesSquare } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Code, ConnectError } from '@connectrpc/connect';
import { Composer } from '../composer/Composer';
import { PersonPane } from '../person/PersonPane';
import { useActions } from '../keyboard/actions';
import { askAhead, forgetAhead } from '../keyboard/ahead';
import { connection } from '../live/live';
import { loadConversation, loadTimeline } from '../live/load';
import { useLive } from '../live/store';
import { isOn, millis } from '../live/cache';
import { useFilter } from '../queue/useFilter';
import { readMoment } from '../shell/address';
import { prefer, usePreferences } from '../shell/preferences';
import { Status } from '../gen/weftline/inbox/v1/types_pb';
import { memberName } from '../person/members';
import type { TimelineContext } from '../timeline/context';
import { PastBanner } from '../timeline/PastBanner';
import { useSelecting } from '../timeline/selecting';
import { liveSource, usePages } from '../timeline/source';
import { Timeline } from '../timeline/Timeline';
import { answerable } from '../timeline/topics';
import { isWhole, wholeView, type View } from '../timeline/view';
import { ViewBar } from '../timeline/ViewBar';
import { cx } from '../ui/cx';
import { Empty, Failed, Skeleton } from '../ui/State';
import { see } from './seen';
import { Header } from './Header';
import { PastHeader } from './PastHeader';
import { SelectBar } from './SelectBar';
import { toggleClosed, assign } from './act';
import { useMe } from '../api/queries';

/** New words count as seen after they have been on screen for this long, ms. */
const dwell = 700;

export function ConversationPane({ conversationId, drawer, onDrawer }: { conversationId: string; drawer: boolean; onDrawer(open: boolean): void }) {
  const me = useMe();
  const navigate = useNavigate();
  const { search } = useFilter();
  const row = useLive((s) => s.cache.conversations.get(conversationId));
  const timeline = useLive((s) => (row ? s.cache.timelines.get(row.customerId) : undefined));
  const beside = usePreferences((s) => s.customerPane);
  const [error, setError] = useState<unknown>();
  const customerId = row?.customerId ?? '';

  const fetch = useCallback(async () => {
    setError(undefined);
    try {
      if (!row) await loadConversation(conversationId);
      if (customerId) await loadTimeline(customerId);
    } catch (failure) {
      setError(failure);
    }
    // The row itself changes with every event: only its coming into being matters here.
  }, [conversationId, customerId, row === undefined]);
  useEffect(() => void fetch(), [fetch]);

  const lists = useLive((s) => s.cache.lists);
  const emptied = lists.size === 0;
  useEffect(() => {
    if (emptied && customerId) void loadTimeline(customerId).catch(() => {});
  }, [emptied, customerId]);

  const { at } = readMoment(useSearch({ strict: false }) as Record<string, unknown>);
  const [view, setView] = useState<View>(() => (at ? { ...wholeView, around: timestampFromMs(at) } : wholeView));
  const pages = usePages(customerId, view, timeline);
  const source = useMemo(() => (!timeline ? undefined : isWhole(view) ? liveSource(customerId, timeline) : pages.source), [timeline, view, customerId, pages.source]);
  const past = view.asOf !== undefined;
  const was = past ? source?.rowOf(conversationId) : undefined;
  const context = useMemo<TimelineContext>(() => ({
    customerId, past,
    memberName: (id) => memberName(timeline?.members.find((member) => member.id === id)),
    asOf: ({ recordedAt }) => recordedAt && setView(({ kinds, channels }) => ({ kinds, channels, asOf: recordedAt })),
  }), [customerId, past, timeline?.members]);
  const channels = useMemo(() => [...new Set((timeline?.members ?? []).flatMap((member) => member.handles.map((handle) => handle.kind)))].sort(), [timeline?.members]);
  const selecting = useSelecting((s) => s.conversationId === conversationId);
  // Shown together with others, the answer goes to the first of them that is open.
  const rows = useLive((s) => s.cache.conversations);
  const answered = row && timeline ? answerable(row, timeline, (id) => rows.get(id), (one) => one.status === Status.OPEN) : row;

  const [seen, setSeen] = useState({ id: '', version: 0n });
  const atEnd = useRef(true);
  const answeredId = answered?.id ?? '';
  const version = answered?.version ?? 0n;
  const ready = timeline !== undefined;
  const whole = isWhole(view);
  useEffect(() => {
    if (!ready || version === 0n) return;
    const look = (): void => {
      if (!whole || !atEnd.current || document.visibilityState !== 'visible') return;
      setSeen((before) => (before.id === answeredId && before.version === version ? before : { id: answeredId, version }));
      see(answeredId, version);
      if (row && answeredId !== row.id) see(row.id, row.version);
    };
    if (seen.id !== answeredId) look();
    const timer = setInterval(look, dwell);
    return () => clearInterval(timer);
  }, [ready, whole, version, answeredId, row?.version, seen.id]);

  useEffect(() => {
    connection.watch(conversationId, false);
    return () => connection.watch('', false);
  }, [conversationId]);

  const sibling = (step: number): boolean => {
    const cache = useLive.getState().cache;
    const own = [...cache.conversations.values()].filter((c) => (timeline ? isOn(timeline, c.customerId) : c.customerId === customerId)).sort((a, b) => millis(a.openedAt) - millis(b.openedAt));
    const next = own[own.findIndex((c) => c.id === conversationId) + step];
    if (!next) return false;
    void navigate({ to: '/c/$conversationId', params: { conversationId: next.id }, search });
    return true;
  };
  const aside = useRef<HTMLElement>(null);
  useEffect(() => {
    if (drawer) aside.current?.focus();
  }, [drawer]);
  const toggleCustomer = (): void => {
    if (innerWidth < 1200) onDrawer(!drawer);
    else prefer({ customerPane: !beside });
  };
  // While it is loading there is no composer to answer these yet.
  const ahead = (kind: 'reply' | 'note'): void | false => (row || past || error !== undefined ? false : askAhead(kind));
  useEffect(() => forgetAhead, [conversationId]);
  useActions({
    reply: () => ahead('reply'),
    note: () => ahead('note'),
    close: () => (row && !past ? void toggleClosed(row) : false),
    'assign-me': () => (row && !past ? void assign(row.id, me.id) : false),
    customer: toggleCustomer,
    'next-of-customer': () => sibling(1),
    'previous-of-customer': () => sibling(-1),
  });

  if (error !== undefined && !row)
    return ConnectError.from(error).code === Code.NotFound
      ? <main className="h-full"><h1 className="sr-only">Conversation</h1><Empty icon={<MessagesSquare size={22} aria-hidden />} title="This conversation does not exist, or no longer does." /></main>
      : <main className="h-full"><h1 className="sr-only">Conversation</h1><Failed what="The conversation could not be opened." error={error} onRetry={() => void fetch()} /></main>;

  return (
    <div className={cx('grid h-full min-w-0 grid-cols-1', beside && 'min-[1200px]:grid-cols-[minmax(0,1fr)_300px]')}>
      <main data-pane="timeline" tabIndex={-1} className="flex h-full min-h-0 min-w-0 flex-col bg-panel outline-none">
        {row && past ? <PastHeader row={was} onCustomer={toggleCustomer} drawer={drawer} beside={beside} /> : row ? <Header row={row} onCustomer={toggleCustomer} drawer={drawer} beside={beside} /> : <h1 className="sr-only">Conversation</h1>}
        {view.asOf && <PastBanner at={view.asOf} onNow={() => setView(wholeView)} />}
        {row && timeline && <ViewBar view={view} channels={channels} onView={setView} />}
        <div className="relative min-h-0 flex-1 bg-bg">
          {error !== undefined && <Failed what="The timeline could not be refreshed." error={error} onRetry={() => void fetch()} />}
          {pages.error !== null && !source && <Failed what="The timeline could not be shown like this." error={pages.error} onRetry={() => void pages.refetch()} />}
          {!source && error === undefined && pages.error === null && <Skeleton rows={5} height={96} />}
          {row && source && <Timeline row={was ?? row} source={source} context={context} onAtEnd={(value) => void (atEnd.current = value)} />}
        </div>
        {row && !past && selecting && <SelectBar conversationId={row.id} customerId={row.customerId} />}
        {answered && !past && !selecting && (answered.fragment
          ? <p className="border-t-2 bg-panel px-3 py-3 text-muted">This is a part of a conversation that is kept with somebody else. It can be read here, and answered there.</p>
          : <Composer row={answered} lastSeen={seen.id === answeredId ? seen.version : 0n} />)}
      </main>
      {customerId && (
        <aside
          ref={aside}
          aria-label="Customer"
          data-pane="customer"
          tabIndex={-1}
          className={cx(
            'scroll min-h-0 border-s bg-panel outline-none',
            'max-[1199px]:fixed max-[1199px]:inset-y-0 max-[1199px]:end-0 max-[1199px]:z-30 max-[1199px]:w-full max-[1199px]:max-w-[360px] max-[1199px]:shadow-pop',
            !drawer && 'max-[1199px]:hidden',
            !beside && 'min-[1200px]:hidden',
          )}
        >
          <PersonPane customerId={customerId} conversationId={conversationId} onClose={() => (innerWidth < 1200 ? onDrawer(false) : prefer({ customerPane: false }))} />
        </aside>
      )}
    </div>
  );
}
