import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { inbox as hub, newKey } from '../api/client';
import { refusal } from '../api/error';
import { inboxesQuery } from '../api/queries';
import type { Customer, Handle } from '../gen/weftline/inbox/v1/types_pb';
import { loadConversation } from '../live/load';
import { called } from '../person/called';
import { Button } from '../ui/Button';
import { channelName } from '../ui/Channel';
import { Dialog } from '../ui/Dialog';
import { Area, Input, Select } from '../ui/Field';
import { say } from '../ui/toast';

/** Kinds of address an agent can write to first. A chat visitor has to come by himself. */
const writable = ['email', 'sms', 'phone'];

type Props = { onClose(): void; customer?: Customer; handle?: Handle; /** To begin with. */ address?: string; words?: string; onSent?(): void };

/** Writes first: to an address, or to a handle of a known customer. */
export function NewConversation({ onClose, customer, handle, address: to = '', words = '', onSent }: Props) {
  const navigate = useNavigate();
  const { data } = useQuery(inboxesQuery);
  const inboxes = (data ?? []).filter((one) => writable.includes(one.channel) && (!handle || one.channel === handle.kind));
  const [chosen, setChosen] = useState('');
  const [address, setAddress] = useState(to);
  const [subject, setSubject] = useState('');
  const [text, setText] = useState(words);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const key = useRef(newKey());
  const inbox = inboxes.find((one) => one.id === chosen) ?? inboxes[0];
  const { at: errors, rest } = refusal(failure, ['inbox_id', 'text', ...(handle ? [] : ['address']), ...(inbox?.channel === 'email' ? ['subject'] : [])]);

  const send = async (): Promise<void> => {
    if (!inbox) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const recipient = customer && handle ? { customerId: customer.id, handleId: handle.id, kind: handle.kind } : { kind: inbox.channel, address: address.trim() };
      const { conversationId } = await hub.startConversation({ ...recipient, inboxId: inbox.id, subject: subject.trim(), text, idempotencyKey: key.current });
      await loadConversation(conversationId).catch(() => {});
      say('Sent.');
      onSent?.();
      onClose();
      void navigate({ to: '/c/$conversationId', params: { conversationId }, search: {} });
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title={customer ? `Write to ${called(customer.name, customer.id)}` : 'New conversation'} wide>
      {data && inboxes.length === 0
        ? <p className="text-muted">There is no inbox that can write first. Add an email inbox under Settings.</p>
        : (
          <form onSubmit={(event) => { event.preventDefault(); void send(); }} onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send(); }}>
            <div className="grid gap-x-4 sm:grid-cols-2">
              {handle
                ? <div className="mb-3"><p className="mb-1 text-[13px] font-medium">To</p><p className="flex min-h-9 items-center"><bdi dir="ltr">{handle.address}</bdi></p></div>
                : <Input label="To" type={inbox?.channel === 'email' ? 'email' : 'text'} dir="ltr" placeholder={inbox?.channel === 'email' ? 'ada@example.org' : '+44…'} value={address} onValue={(value) => { setAddress(value); key.current = newKey(); }} required autoFocus error={errors.address} />}
              <Select label="From" value={inbox?.id ?? ''} onValue={setChosen} options={inboxes.map((one) => [one.id, `${one.name} (${channelName(one.channel)})`] as const)} error={errors.inbox_id} />
            </div>
            {inbox?.channel === 'email' && <Input label="Subject" dir="auto" value={subject} onValue={setSubject} error={errors.subject} autoFocus={handle !== undefined} />}
            <Area label="Message" rows={7} value={text} onValue={setText} required error={errors.text} />
            {rest && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger">{rest}</p>}
            <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button look="primary" type="submit" disabled={busy || !inbox || !text.trim() || (!handle && !address.trim())}>{busy ? 'Sending…' : 'Send'}</Button></div>
          </form>
        )}
    </Dialog>
  );
}
