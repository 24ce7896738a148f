import { Link } from '@tanstack/react-router';
import { ExternalLink, Pause, Pencil, Play, PlugZap } from 'lucide-react';
import { useState } from 'react';
import { desk } from '../api/client';
import { describe } from '../api/error';
import { inboxesQuery, queries } from '../api/queries';
import type { Channel, Inbox } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import { Dialog } from '../ui/Dialog';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { Connect } from './Connect';
import { Embed } from './Embed';
import { faceOf, reasonOf, waitingIn } from './health';

const sources: Record<string, string> = { file: 'Set in the configuration file', demo: 'Part of the demo', console: '' };

/** How an inbox does, and what can be done with it. */
export function InboxCard({ inbox, channel, owner, onEdit }: { inbox: Inbox; channel: Channel | undefined; owner: boolean; onEdit(): void }) {
  const [connecting, setConnecting] = useState(false);
  const face = faceOf(inbox);
  const reason = reasonOf(inbox);
  const waiting = waitingIn(inbox);
  const name = inbox.name || inbox.id;
  const address = inbox.settings.address || inbox.settings.number;
  const past = inbox.lastError && inbox.lastError !== inbox.healthDetail;
  return (
    <li className="rounded-xl border bg-panel p-4">
      <div className="flex flex-wrap items-center gap-3">
        <ChannelIcon channel={inbox.channel} size={20} />
        <div className="min-w-40 flex-1">
          <h2 className="font-semibold"><bdi>{name}</bdi></h2>
          <p className="text-[13px] text-muted">{channelName(inbox.channel)}{address && <> · <bdi dir="ltr">{address}</bdi></>}{sources[inbox.source] && <> · {sources[inbox.source]}</>}</p>
        </div>
        <span className="flex items-center gap-1.5 text-[13px] font-medium"><span aria-hidden className={cx('size-2 rounded-full', face.tone)} /><span>{face.label}{inbox.since && inbox.health !== 'connecting' && <span className="font-normal text-muted"> since <When at={inbox.since} /></span>}</span></span>
      </div>
      {reason && <p className={cx('mt-2 rounded-lg px-2.5 py-1.5 text-[13px] break-words', inbox.health === 'needs_attention' ? 'bg-danger-soft text-danger' : inbox.paused ? 'bg-warn-soft text-warn' : 'bg-sunken text-muted')}><bdi>{reason}</bdi></p>}
      <p className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        <span>Last in: {inbox.lastIn ? <When at={inbox.lastIn} /> : 'not since the hub started'}</span>
        <span>Last out: {inbox.lastOut ? <When at={inbox.lastOut} /> : 'not since the hub started'}</span>
        {waiting.map((words) => <span key={words} className="font-medium text-ink">{words}</span>)}
      </p>
      {past && <p className="mt-1 text-xs break-words text-muted">Last error: <bdi>{inbox.lastError}</bdi> (<When at={inbox.lastErrorAt} />)</p>}
      <div className="mt-3 flex flex-wrap items-center gap-2">
        {owner && <PauseButton inbox={inbox} name={name} />}
        {owner && channel && (channel.recipient || inbox.webhookUrl) && <Button small aria-label={`Connect and try ${name}`} onClick={() => setConnecting(true)}><PlugZap size={13} aria-hidden />Connect and try</Button>}
        {owner && channel && inbox.source === 'console' && <Button small aria-label={`Change ${name}`} onClick={onEdit}><Pencil size={13} aria-hidden />Change</Button>}
        <Link to="/inbox" search={{ inbox: inbox.id }} className="inline-flex min-h-7 items-center rounded-lg px-2 text-[13px] font-medium hover:bg-ink/7">Conversations<span className="sr-only"> of {name}</span></Link>
        {inbox.channel === 'chat' && <a href={`/chat/${encodeURIComponent(inbox.id)}/demo`} target="_blank" rel="noreferrer" className="inline-flex min-h-7 items-center gap-1 rounded-lg px-2 text-[13px] font-medium hover:bg-ink/7"><ExternalLink size={13} aria-hidden />Open demo page<span className="sr-only"> (opens in a new tab)</span></a>}
      </div>
      {inbox.channel === 'chat' && <Embed inboxId={inbox.id} />}
      {connecting && channel && <Dialog open onClose={() => setConnecting(false)} wide title={`Connect ${name}`}><Connect inbox={inbox} channel={channel} known={{}} /></Dialog>}
    </li>
  );
}

function PauseButton({ inbox, name }: { inbox: Inbox; name: string }) {
  const [busy, setBusy] = useState(false);
  if (inbox.pausedInFile) return null;
  const set = async (): Promise<void> => {
    setBusy(true);
    try {
      await desk.setInboxPaused({ id: inbox.id, paused: !inbox.paused });
      await queries.invalidateQueries(inboxesQuery);
      say(inbox.paused ? 'The inbox goes on.' : 'The inbox is paused.');
    } catch (error) {
      say(describe(error), { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  return inbox.paused
    ? <Button small disabled={busy} aria-label={`Resume ${name}`} onClick={() => void set()}><Play size={13} aria-hidden />Resume</Button>
    : <Button small disabled={busy} aria-label={`Pause ${name}`} onClick={() => void set()}><Pause size={13} aria-hidden />Pause</Button>;
}
