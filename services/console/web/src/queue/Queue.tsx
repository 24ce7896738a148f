import { useNavigate } from '@tanstack/react-router';
import { ArrowUp, PartyPopper } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useMe } from '../api/queries';
import { unsee, useSeen } from '../conversation/seen';
import { Status, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { useActions } from '../keyboard/actions';
import { onFirstSnapshot, onReset, refreshStale } from '../live/live';
import { loadList, loadMore } from '../live/load';
import { useLive } from '../live/store';
import { Empty, Failed, Skeleton } from '../ui/State';
import { Button } from '../ui/Button';
import { rowsOf, keyOf } from './filter';
import { QueueBar } from './QueueBar';
import { QueueRow, rowHeight } from './QueueRow';
import { useFilter } from './useFilter';
import { useRows } from './useRows';

/** The queue: a listbox over all rows, of which only those in view are drawn. */
export function Queue({ conversationId }: { conversationId: string }) {
  const { filter, scope, search } = useFilter();
  const navigate = useNavigate();
  const me = useMe();
  const conversations = useLive((s) => s.cache.conversations);
  const lists = useLive((s) => s.cache.lists);
  const presence = useLive((s) => s.presence);
  const versions = useSeen((s) => s.versions);
  const [error, setError] = useState<unknown>();
  const list = lists.get(keyOf(filter));
  const rows = useMemo(() => rowsOf({ conversations, lists }, filter), [conversations, lists, filter]);
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(conversationId);
  const activeIndex = rows.findIndex((row) => row.id === active);

  const fetch = useCallback(async () => {
    try {
      await loadList(filter);
      setError(undefined);
      onFirstSnapshot();
      refreshStale();
    } catch (failure) {
      setError(failure);
    }
  }, [filter]);
  useEffect(() => void fetch(), [fetch]);
  useEffect(() => {
    if (conversationId) setActive(conversationId);
  }, [conversationId]);

  const { first, last, reveal } = useRows(box, rows.length, rowHeight);
  const fresh = useAnchor(box, rows);
  useEffect(() => {
    if (list?.next && last >= rows.length - 8) void loadMore(filter).catch(setError);
  }, [list?.next, last, rows.length, filter]);

  const open = (id: string): void => {
    setActive(id);
    void navigate({ to: '/c/$conversationId', params: { conversationId: id }, search });
  };
  const move = (step: number, andOpen: boolean): void => {
    if (rows.length === 0) return;
    const index = activeIndex < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, activeIndex + step));
    reveal(index);
    setActive(rows[index]!.id);
    if (andOpen) open(rows[index]!.id);
  };
  useActions({
    next: () => move(1, conversationId !== ''),
    previous: () => move(-1, conversationId !== ''),
    open: () => (activeIndex >= 0 ? open(rows[activeIndex]!.id) : false),
    unread: () => (rows[activeIndex] ? unsee(rows[activeIndex]) : false),
  });
  useEffect(() => onReset(() => void fetch()), [fetch]);

  return (
    <section aria-label="Queue" data-pane="queue" tabIndex={-1} className="flex h-full min-h-0 flex-col outline-none">
      <QueueBar />
      <div className="relative min-h-0 flex-1">
        {error !== undefined && <Failed what="The queue could not be refreshed." error={error} onRetry={() => void fetch()} />}
        {!list && rows.length === 0 && error === undefined && <Skeleton />}
        {list && rows.length === 0 && <NothingHere scope={scope} narrowed={filter.status !== Status.OPEN || filter.inboxId !== ''} />}
        <div
          ref={box}
          role="listbox"
          aria-label="Conversations"
          data-pane-focus
          tabIndex={rows.length > 0 ? 0 : -1}
          aria-activedescendant={activeIndex >= first && activeIndex <= last ? 'row-' + active : undefined}
          onKeyDown={(event) => {
            const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e9, End: 1e9 }[event.key];
            if (step !== undefined) move(step, false);
            else if (event.key === 'Enter' && activeIndex >= 0) open(rows[activeIndex]!.id);
            else return;
            event.preventDefault();
          }}
          className="scroll h-full focus-visible:outline-offset-[-2px]"
        >
          <div role="presentation" style={{ height: rows.length * rowHeight, position: 'relative' }}>
            {rows.slice(first, last + 1).map((row, i) => (
              <QueueRow
                key={row.id}
                row={row}
                top={(first + i) * rowHeight}
                index={first + i}
                total={rows.length}
                open={row.id === conversationId}
                active={row.id === active}
                seen={versions[row.id] ?? 0}
                presence={presence.get(row.id)}
                meId={me.id}
                onOpen={open}
              />
            ))}
          </div>
        </div>
        {fresh > 0 && (
          <Button small look="primary" className="absolute inset-x-0 top-2 mx-auto w-fit rounded-full! shadow-pop!" onClick={() => box.current?.scrollTo({ top: 0, behavior: 'smooth' })}>
            <ArrowUp size={14} aria-hidden />{fresh} new
          </Button>
        )}
      </div>
    </section>
  );
}

/** Keeps what the agent looks at in place while rows come in above; counts how many did. */
function useAnchor(box: React.RefObject<HTMLDivElement | null>, rows: readonly Conversation[]): number {
  const before = useRef<readonly Conversation[]>(rows);
  const [fresh, setFresh] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    const old = before.current;
    before.current = rows;
    if (!element || old === rows || element.scrollTop < rowHeight / 2) {
      setFresh(0);
      return;
    }
    const anchor = old[Math.floor(element.scrollTop / rowHeight)];
    const now = anchor ? rows.findIndex((row) => row.id === anchor.id) : -1;
    const shift = now - Math.floor(element.scrollTop / rowHeight);
    if (now < 0 || shift === 0) return;
    element.scrollTop += shift * rowHeight;
    if (shift > 0) setFresh((n) => n + shift);
  }, [box, rows]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const clear = (): void => {
      if (element.scrollTop < rowHeight / 2) setFresh(0);
    };
    element.addEventListener('scroll', clear, { passive: true });
    return () => element.removeEventListener('scroll', clear);
  }, [box]);
  return fresh;
}

function NothingHere({ scope, narrowed }: { scope: string; narrowed: boolean }) {
  const navigate = useNavigate();
  return (
    <Empty icon={<PartyPopper size={22} aria-hidden />} title={narrowed ? 'Nothing matches.' : 'All clear.'}>
      {narrowed && <Button small onClick={() => void navigate({ to: '/inbox', search: { scope: scope as 'all' } })}>Clear filters</Button>}
      {!narrowed && scope !== 'all' && <Button small onClick={() => void navigate({ to: '/inbox', search: {} })}>Show all open conversations</Button>}
      {!narrowed && scope === 'all' && <p>New conversations appear here by themselves.</p>}
    </Empty>
  );
}
