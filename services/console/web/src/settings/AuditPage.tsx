import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCw, ScrollText } from 'lucide-react';
import { useState } from 'react';
import { desk } from '../api/client';
import { tokensQuery, useAgentName, useAgents, useMe } from '../api/queries';
import { Role, type AuditEntry } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { Select } from '../ui/Field';
import { Empty, Failed, Skeleton } from '../ui/State';
import { When } from '../ui/When';
import { agentIn, did, ending, groups } from './audit';
import { PageHead } from './SettingsPage';

export function AuditPage() {
  const owner = useMe().role === Role.OWNER;
  return (
    <>
      <PageHead title="Audit log" about="Who logged in, read, downloaded and changed rights. Nobody can change it: hub audit verify proves that nothing was taken out." />
      {owner ? <Log /> : <Empty icon={<ScrollText size={20} aria-hidden />} title="Only owners can see the audit log." />}
    </>
  );
}

function Log() {
  const [action, setAction] = useState('');
  const [actor, setActor] = useState('');
  const { data, error, isPending, refetch, isRefetching, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit', action, actor],
    queryFn: ({ pageParam }) => desk.listAudit({ pageSize: 50, pageToken: pageParam, action, actor }),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken || undefined,
    staleTime: 0,
  });
  const agents = useAgents();
  const tokens = useQuery(tokensQuery).data ?? [];
  const people = [
    ['', 'Everybody'] as const,
    ...agents.map((agent) => [agent.id, agent.name] as const),
    ...tokens.map((token) => [`token:${token.id}`, `${token.name} (API token)`] as const),
    ['operator', 'The operator, on the machine'] as const,
  ];
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-4">
        <div className="min-w-40 flex-1"><Select label="Who" value={actor} onValue={setActor} options={people} /></div>
        <div className="min-w-40 flex-1"><Select label="What" value={action} onValue={setAction} options={groups} /></div>
        <Button className="mb-3" disabled={isRefetching} onClick={() => void refetch()}><RotateCw size={15} aria-hidden />Load again</Button>
      </div>
      {error && <Failed what="The audit log could not be loaded." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={6} height={48} />}
      {data && entries.length === 0 && !hasNextPage && <Empty icon={<ScrollText size={20} aria-hidden />} title="Nothing like this is recorded." />}
      {entries.length > 0 && <ul aria-label="Audit log" className="overflow-hidden rounded-xl border bg-panel">{entries.map((entry) => <Row key={String(entry.number)} entry={entry} />)}</ul>}
      {hasNextPage && <div className="mt-4 text-center"><Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{isFetchingNextPage ? 'Loading…' : 'Show older'}</Button></div>}
    </>
  );
}

function Row({ entry }: { entry: AuditEntry }) {
  const name = useAgentName();
  const bad = ending(entry);
  const about = agentIn(entry);
  return (
    <li className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-2 last:border-b-0">
      <div className="min-w-56 flex-1">
        <p><bdi className="font-medium">{entry.actor === 'operator' ? 'The operator' : entry.actor ? name(entry.actor) : 'Somebody'}</bdi> {did(entry.action)}{about && <>: <bdi>{name(about)}</bdi></>}</p>
        <p className="flex flex-wrap gap-x-3 text-[13px] text-muted">
          {bad && <span className="font-medium text-danger">{bad}</span>}
          {entry.customerId && <Link to="/customers/$customerId" params={{ customerId: entry.customerId }} className="underline">Customer</Link>}
          {entry.conversationId && <Link to="/c/$conversationId" params={{ conversationId: entry.conversationId }} className="underline">Conversation</Link>}
          {entry.from && <span>from <bdi dir="ltr">{entry.from}</bdi></span>}
          {entry.ids.reference && <span>reference <bdi dir="ltr">{entry.ids.reference}</bdi></span>}
        </p>
        {entry.why && <p className="text-[13px] break-words whitespace-pre-line"><q dir="auto">{entry.why}</q></p>}
        {entry.whyGone && <p className="text-[13px] text-muted">The reason went with somebody who was erased.</p>}
      </div>
      <p className="text-xs text-muted"><When at={entry.at} /> · #{String(entry.number)}</p>
    </li>
  );
}
