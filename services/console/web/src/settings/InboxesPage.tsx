import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { channelsQuery, inboxesQuery, useMe } from '../api/queries';
import { Role, type Inbox } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { Empty, Failed, Skeleton } from '../ui/State';
import { AddInbox } from './AddInbox';
import { InboxCard } from './InboxCard';
import { InboxForm } from './InboxForm';
import { PageHead } from './SettingsPage';

export function InboxesPage() {
  const { data, error, isPending, refetch } = useQuery({ ...inboxesQuery, refetchInterval: 5_000 });
  const channels = useQuery(channelsQuery).data ?? [];
  const owner = useMe().role === Role.OWNER;
  const [editing, setEditing] = useState<Inbox | undefined>();
  const [adding, setAdding] = useState(false);
  const kind = channels.find((one) => one.name === editing?.channel);
  return (
    <>
      <PageHead title="Inboxes" about="Where customers reach you: a mailbox, a chat on your site, a number. Each keeps its own address, so answers go out where the question came in.">
        {owner && <Button onClick={() => setAdding(true)}><Plus size={15} aria-hidden />Add an inbox</Button>}
      </PageHead>
      {error && <Failed what="The inboxes could not be loaded." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={3} />}
      {data?.length === 0 && <Empty title="No inbox yet.">Start with a chat widget: it works at once, on a demo page.</Empty>}
      <ul className="grid grid-cols-1 gap-3">{data?.map((one) => <InboxCard key={one.id} inbox={one} channel={channels.find((kind) => kind.name === one.channel)} owner={owner} onEdit={() => setEditing(one)} />)}</ul>
      {adding && <AddInbox onClose={() => setAdding(false)} />}
      {editing && kind && <InboxForm inbox={editing} channel={kind} onClose={() => setEditing(undefined)} />}
    </>
  );
}
