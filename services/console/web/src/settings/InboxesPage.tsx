import { useQuery } from '@tanstack/react-query';
import { create } from '@bufbuild/protobuf';
import { ExternalLink, Mail, MessageCircle, Pencil } from 'lucide-react';
import { useState } from 'react';
import { inboxesQuery, useMe } from '../api/queries';
import { InboxSchema, Role, type Inbox } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import { Empty, Failed, Skeleton } from '../ui/State';
import { When } from '../ui/When';
import { Embed } from './Embed';
import { InboxForm } from './InboxForm';
import { PageHead } from './SettingsPage';

const sources: Record<string, string> = { file: 'Set in the configuration file', demo: 'Part of the demo', console: '' };

export function InboxesPage() {
  const { data, error, isPending, refetch } = useQuery({ ...inboxesQuery, refetchInterval: 10_000 });
  const owner = useMe().role === Role.OWNER;
  const [editing, setEditing] = useState<Inbox | undefined>();
  const add = (channel: string): void => setEditing(create(InboxSchema, { channel, source: 'console', name: channel === 'chat' ? 'Website chat' : '' }));
  return (
    <>
      <PageHead title="Inboxes" about="Where customers reach you: a mailbox, a chat on your site. Each keeps its own address, so answers go out where the question came in.">
        {owner && <div className="flex gap-2"><Button onClick={() => add('email')}><Mail size={15} aria-hidden />Add email</Button><Button onClick={() => add('chat')}><MessageCircle size={15} aria-hidden />Add chat</Button></div>}
      </PageHead>
      {error && <Failed what="The inboxes could not be loaded." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={3} />}
      {data?.length === 0 && <Empty title="No inbox yet.">Start with a chat widget: it works at once, on a demo page.</Empty>}
      <ul className="grid gap-3">{data?.map((one) => <Card key={one.id} inbox={one} editable={owner && one.source === 'console'} onEdit={() => setEditing(one)} />)}</ul>
      {editing && <InboxForm inbox={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

const health: Record<string, { label: string; tone: string }> = {
  ok: { label: 'Working', tone: 'bg-ok' },
  connecting: { label: 'Connecting…', tone: 'bg-line-strong' },
  needs_attention: { label: 'Needs attention', tone: 'bg-danger' },
  paused: { label: 'Paused', tone: 'bg-warn' },
};

function Card({ inbox, editable, onEdit }: { inbox: Inbox; editable: boolean; onEdit(): void }) {
  const state = health[inbox.health] ?? { label: inbox.health || 'Unknown', tone: 'bg-line-strong' };
  return (
    <li className="rounded-xl border bg-panel p-4">
      <div className="flex flex-wrap items-center gap-3">
        <ChannelIcon channel={inbox.channel} size={20} />
        <div className="min-w-40 flex-1">
          <h2 className="font-semibold"><bdi>{inbox.name || inbox.id}</bdi></h2>
          <p className="text-[13px] text-muted">{channelName(inbox.channel)}{inbox.settings.address && <> · <bdi dir="ltr">{inbox.settings.address}</bdi></>}{sources[inbox.source] && <> · {sources[inbox.source]}</>}</p>
        </div>
        <span className="flex items-center gap-1.5 text-[13px] font-medium"><span aria-hidden className={cx('size-2 rounded-full', state.tone)} />{state.label}</span>
        {editable && <Button small onClick={onEdit}><Pencil size={13} aria-hidden />Change</Button>}
        {inbox.channel === 'chat' && <a href={`/chat/${encodeURIComponent(inbox.id)}/demo`} target="_blank" rel="noreferrer" className="inline-flex min-h-7 items-center gap-1 rounded-lg px-2 text-[13px] font-medium hover:bg-ink/7"><ExternalLink size={13} aria-hidden />Open demo page<span className="sr-only"> (opens in a new tab)</span></a>}
      </div>
      {inbox.healthDetail && <p className={cx('mt-2 rounded-lg px-2.5 py-1.5 text-[13px]', inbox.health === 'needs_attention' ? 'bg-danger-soft text-danger' : 'bg-sunken text-muted')}><bdi>{inbox.healthDetail}</bdi></p>}
      {(inbox.lastIn || inbox.lastOut) && <p className="mt-2 flex gap-4 text-xs text-muted">{inbox.lastIn && <span>Last in: <When at={inbox.lastIn} /></span>}{inbox.lastOut && <span>Last out: <When at={inbox.lastOut} /></span>}</p>}
      {inbox.channel === 'chat' && <Embed inboxId={inbox.id} />}
    </li>
  );
}
