import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CheckCircle2, RotateCw, ShieldOff } from 'lucide-react';
import { identity } from '../api/client';
import { isUnimplemented } from '../api/error';
import { useAgentName, useInboxName } from '../api/queries';
import type { Erasure } from '../gen/weftline/identity/v1/types_pb';
import { erasureSteps, stepOf, stepWord } from '../person/words';
import { Button } from '../ui/Button';
import { Empty, Failed, Skeleton } from '../ui/State';
import { When } from '../ui/When';
import { PageHead } from './SettingsPage';

/** How often erasures that run are asked for, ms. */
const every = 2_000;

export function PrivacyPage() {
  return (
    <>
      <PageHead title="Privacy" about="What is erased on request, and what is destroyed by itself when it is old. A customer is erased from his own page." />
      <section aria-labelledby="retention" className="mb-8"><h2 id="retention" className="mb-2 font-semibold">Retention</h2><Retention /></section>
      <section aria-labelledby="erasures"><h2 id="erasures" className="mb-2 font-semibold">Erasures</h2><Erasures /></section>
    </>
  );
}

function Retention() {
  const inbox = useInboxName();
  const { data, error, isPending, isFetching, refetch } = useQuery({ queryKey: ['retention'], queryFn: async () => (await identity.previewRetention({})).policies, staleTime: 0 });
  if (isPending) return <Skeleton rows={1} height={48} />;
  if (error) return isUnimplemented(error) ? <p className="text-muted">This hub does not offer retention.</p> : <Failed what="The policies could not be loaded." error={error} onRetry={() => void refetch()} />;
  if (data.length === 0) return <p className="rounded-xl border bg-panel px-4 py-3 text-muted">Nothing is destroyed by itself. A policy is set in the hub’s configuration, for each inbox in days.</p>;
  return (
    <>
      <div className="scroll overflow-x-auto rounded-xl border bg-panel">
        <table className="w-full text-start">
          <caption className="sr-only">What the next run would destroy</caption>
          <thead><tr className="border-b text-xs text-muted">{['Inbox', 'Kept for', 'Would go now', 'Kept back by holds', 'Oldest'].map((title) => <th key={title} scope="col" className="px-4 py-2 text-start font-medium">{title}</th>)}</tr></thead>
          <tbody>
            {data.map((policy) => (
              <tr key={policy.inboxId} className="border-b last:border-b-0">
                <th scope="row" className="px-4 py-2 text-start font-medium"><bdi>{inbox(policy.inboxId)}</bdi></th>
                <td className="px-4 py-2">{policy.days} {policy.days === 1 ? 'day' : 'days'}</td>
                <td className="px-4 py-2">{String(policy.conversations)} {policy.conversations === 1n ? 'conversation' : 'conversations'}, {String(policy.messages)} {policy.messages === 1n ? 'message' : 'messages'}</td>
                <td className="px-4 py-2">{String(policy.held)}</td>
                <td className="px-4 py-2">{policy.oldest ? <When at={policy.oldest} /> : 'none'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="mt-2 flex flex-wrap items-center gap-2 text-[13px] text-muted">This is a dry run: looking at it destroys nothing. <Button small disabled={isFetching} onClick={() => void refetch()}><RotateCw size={13} aria-hidden />Count again</Button></p>
    </>
  );
}

function Erasures() {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['erasures'], staleTime: 0, initialPageParam: '',
    queryFn: ({ pageParam }) => identity.listErasures({ pageSize: 50, pageToken: pageParam }),
    getNextPageParam: (last) => last.nextPageToken || undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.erasures.some((one) => one.state !== 'done')) ? every : false),
  });
  const all = data?.pages.flatMap((page) => page.erasures) ?? [];
  if (isPending) return <Skeleton rows={2} height={56} />;
  if (error) return isUnimplemented(error) ? <p className="text-muted">This hub does not offer erasure.</p> : <Failed what="The erasures could not be loaded." error={error} onRetry={() => void refetch()} />;
  return (
    <>
      {all.length === 0 && <Empty icon={<ShieldOff size={20} aria-hidden />} title="Nobody was erased.">Erasures appear here with who ordered them and how far they are.</Empty>}
      {all.length > 0 && <ul aria-label="Erasures" className="overflow-hidden rounded-xl border bg-panel">{all.map((one) => <Item key={one.id} of={one} />)}</ul>}
      {hasNextPage && <div className="mt-4 text-center"><Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{isFetchingNextPage ? 'Loading…' : 'Show more'}</Button></div>}
    </>
  );
}

function Item({ of }: { of: Erasure }) {
  const name = useAgentName();
  const done = of.state === 'done';
  return (
    <li className="border-b px-4 py-2.5 last:border-b-0">
      <p className="flex flex-wrap items-center gap-x-2">
        {done ? <CheckCircle2 size={16} aria-hidden className="text-ok" /> : <RotateCw size={16} aria-hidden className="text-warn" />}
        <span className="font-medium">{of.customerIds.length} {of.customerIds.length === 1 ? 'customer' : 'customers'}</span>
        <span className="text-muted">ordered by <bdi>{name(of.actor)}</bdi>, <When at={of.requestedAt} /></span>
        <span className="ms-auto">{done ? <>Done <When at={of.doneAt} /></> : `${stepWord(of.state)} (${stepOf(of.state)} of ${erasureSteps.length})`}</span>
      </p>
      {of.trouble && !done && <p className="text-[13px] text-warn">Held up, tried again by itself: <bdi>{of.trouble}</bdi></p>}
      <p className="flex flex-wrap gap-x-3 text-[13px] text-muted">{of.customerIds.map((id) => <Link key={id} to="/customers/$customerId" params={{ customerId: id }} className="underline"><bdi dir="ltr">{id}</bdi></Link>)}</p>
    </li>
  );
}
