import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { MessagesSquare, PartyPopper, Shuffle, Users } from 'lucide-react';
import { useState } from 'react';
import { identity } from '../api/client';
import { isUnimplemented } from '../api/error';
import type { Repeat } from '../gen/weftline/identity/v1/types_pb';
import { millis } from '../live/cache';
import { called } from '../person/called';
import { Button } from '../ui/Button';
import { cx } from '../ui/cx';
import { Empty, Failed, Skeleton } from '../ui/State';
import { When } from '../ui/When';
import { reasons, told } from './repeats';

const icons: Record<string, typeof Users> = { new_conversation: MessagesSquare, new_channel: Shuffle, new_agent: Users };

/** What was counted, one by one, newest first, each with the way to where it happened. */
export function RepeatList() {
  const [kind, setKind] = useState('');
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['repeats', 'list', kind], staleTime: 0, initialPageParam: '',
    queryFn: ({ pageParam }) => identity.listRepeats({ kind, pageSize: 25, pageToken: pageParam }),
    getNextPageParam: (last) => last.nextPageToken || undefined,
  });
  const all = data?.pages.flatMap((page) => page.repeats) ?? [];
  return (
    <>
      <div role="group" aria-label="Show only" className="mb-2 flex flex-wrap gap-1">
        {[{ kind: '', label: 'All' }, ...reasons].map((one) => (
          <button key={one.kind} type="button" aria-pressed={kind === one.kind} onClick={() => setKind(one.kind)} className={cx('min-h-7 rounded-full border px-2.5 text-[13px]', kind === one.kind ? 'border-accent-text bg-accent-soft font-semibold text-accent-text' : 'border-line-strong/40 text-muted hover:border-line-strong')}>{one.label}</button>
        ))}
      </div>
      {isPending && <Skeleton rows={3} height={56} />}
      {error && (isUnimplemented(error) ? <p className="text-muted">This hub cannot list them.</p> : <Failed what="The list could not be loaded." error={error} onRetry={() => void refetch()} />)}
      {data && all.length === 0 && <Empty icon={<PartyPopper size={20} aria-hidden />} title="Nobody had to explain anything again." />}
      {all.length > 0 && <ul aria-label="Latest repeats" className="overflow-hidden rounded-xl border bg-panel">{all.map((one) => <Item key={one.kind + one.conversationId + one.entryId} of={one} />)}</ul>}
      {hasNextPage && <div className="mt-4 text-center"><Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{isFetchingNextPage ? 'Loading…' : 'Show older'}</Button></div>}
    </>
  );
}

function Item({ of }: { of: Repeat }) {
  const Icon = icons[of.kind] ?? MessagesSquare;
  const customer = called(of.customerName, of.customerId);
  const earlier = of.earlierConversationIds.at(-1);
  return (
    <li className="flex items-start gap-3 border-b px-4 py-2.5 last:border-b-0">
      <Icon size={16} aria-hidden className="mt-1 shrink-0 text-muted" />
      <div className="min-w-0 flex-1">
        <p><Link to="/c/$conversationId" params={{ conversationId: of.conversationId }} search={{ at: Math.ceil(millis(of.at)) }} className="font-medium underline decoration-dotted underline-offset-4"><bdi>{customer}</bdi></Link> {told(of)}</p>
        <p className="flex flex-wrap gap-x-3 text-[13px] text-muted">
          {of.subject && <span className="max-w-full truncate"><bdi>{of.subject}</bdi></span>}
          {earlier && <Link to="/c/$conversationId" params={{ conversationId: earlier }} search={{}} className="underline">The earlier conversation<span className="sr-only"> of {customer}</span></Link>}
          <When at={of.at} className="sm:ms-auto" />
        </p>
      </div>
    </li>
  );
}
