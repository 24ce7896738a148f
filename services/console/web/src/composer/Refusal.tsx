import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useAgentName } from '../api/queries';
import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { useLive } from '../live/store';
import { remove, useOutbox } from '../outbox/outbox';
import { again } from '../outbox/sender';
import { called } from '../person/called';
import { tell } from '../timeline/lines';
import { Button } from '../ui/Button';
import { ChannelIcon } from '../ui/Channel';
import { Dialog } from '../ui/Dialog';
import { millis } from '../live/cache';
import { moment, When } from '../ui/When';
import { giveBack } from './giveback';

/** The hub held a reply back because somebody else said something first. The agent decides. */
export function Refusal() {
  const item = useOutbox((s) => s.items.find((one) => one.state === 'refused'));
  const [put, setPut] = useState('');
  const navigate = useNavigate();
  if (!item) return null;
  const stamp = item.key + String(item.newerVersion);
  return (
    <Dialog open={put !== stamp} onClose={() => setPut(stamp)} title="Something new came in" about="Your reply was held back so that the customer is not answered twice or past the point." wide>
      <ul className="mb-3 grid gap-2">{item.newer.map((entry) => <Newer key={entry.id} entry={entry} />)}</ul>
      <p className="mb-1 text-xs font-semibold text-muted">Your reply</p>
      <p dir="auto" className="said mb-4 max-h-32 overflow-y-auto rounded-lg bg-accent-soft px-3 py-2">{item.text}</p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={() => { giveBack(item); remove(item.key); }}>Keep as draft</Button>
        <Button onClick={() => again(item.key)}>Send anyway</Button>
        <Button look="primary" autoFocus onClick={() => { setPut(stamp); void navigate({ to: '/c/$conversationId', params: { conversationId: item.conversationId }, search: (s) => s }); }}>Review</Button>
      </div>
    </Dialog>
  );
}

function Newer({ entry }: { entry: TimelineEntry }) {
  const name = useAgentName();
  const customer = useLive((s) => {
    const row = s.cache.conversations.get(entry.conversationId);
    return row && called(row.customerName, row.customerId);
  });
  const body = entry.body;
  const who = body.case === 'message' ? (body.value.author ? name(body.value.author, body.value.fromName) : body.value.fromName || (entry.channel === 'chat' ? customer : body.value.from) || 'Customer') : body.case === 'note' ? `Note by ${name(body.value.author)}` : '';
  return (
    <li className="rounded-lg border bg-panel px-3 py-2">
      <p className="flex items-center gap-1.5 text-xs text-muted"><ChannelIcon channel={entry.channel} size={13} /><b className="text-ink"><bdi>{who}</bdi></b><When at={entry.recordedAt} /></p>
      <p dir="auto" className="said max-h-28 overflow-y-auto">{body.case === 'message' || body.case === 'note' ? body.value.text : body.case === 'activity' ? tell(body.value, name, (at) => moment(millis(at))) : ''}</p>
    </li>
  );
}
