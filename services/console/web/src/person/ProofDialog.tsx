import { useQuery } from '@tanstack/react-query';
import { Link2, Send, SquareAsterisk } from 'lucide-react';
import { useRef, useState } from 'react';
import { identity, newKey } from '../api/client';
import { inboxesQuery } from '../api/queries';
import type { HandleEvidence } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { channelName } from '../ui/Channel';
import { Dialog } from '../ui/Dialog';
import { Input, Select } from '../ui/Field';
import { kindsOf } from './fits';
import { HandleLine } from './HandleLine';
import { ProofStanding } from './ProofStanding';
import { forgetProof, kindOfChannel, rememberProof, useProofs, whyNot } from './proofs';

type Props = { customerId: string; /** Undefined: an address he names. */ handle?: HandleEvidence; onClose(): void };

/** Sends a one-time code or a signed link to an address and shows how it stands. */
export function ProofDialog({ customerId, handle, onClose }: Props) {
  const about = handle?.handle?.id ?? customerId;
  const asked = useProofs((s) => s.of[about]);
  return (
    <Dialog open onClose={onClose} title={handle ? 'Verify this address' : 'Verify an address'} about="A code or a link goes to the address. Whoever gives it back controls it.">
      {asked
        ? <ProofStanding key={asked.proofId} asked={asked} onAgain={() => forgetProof(about)} onClose={onClose} />
        : <Ask customerId={customerId} handle={handle} about={about} onClose={onClose} />}
    </Dialog>
  );
}

const methods = [
  { link: false, icon: SquareAsterisk, label: 'One-time code', plain: 'The customer reads six digits to you, and you type them here. Good for 10 minutes.' },
  { link: true, icon: Link2, label: 'Signed link', plain: 'The customer opens it and presses a button; you see it here. Good for 30 minutes.' },
] as const;

function Ask({ customerId, handle, about, onClose }: Props & { handle: HandleEvidence | undefined; about: string }) {
  const { data } = useQuery(inboxesQuery);
  const [link, setLink] = useState(false);
  const [chosen, setChosen] = useState('');
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const key = useRef(newKey());
  const address = handle?.handle?.address ?? typed.trim();
  const kind = handle?.handle?.kind ?? (kindsOf(address).includes('email') ? 'email' : kindsOf(address).includes('phone') ? 'phone' : '');
  const all = (data ?? []).filter((one) => ['email', 'phone'].includes(kindOfChannel(one.channel)));
  const inboxes = all.filter((one) => kind === '' || kindOfChannel(one.channel) === kind);
  const inbox = inboxes.find((one) => one.id === chosen) ?? inboxes[0];
  const anew = (): void => {
    key.current = newKey();
    setFailure('');
  };
  const send = async (): Promise<void> => {
    if (!inbox || busy) return;
    setBusy(true);
    setFailure('');
    try {
      const { proofId } = await identity.startProof({
        customerId, inboxId: inbox.id, link, idempotencyKey: key.current,
        ...(handle?.handle ? { handleId: handle.handle.id } : { kind, address }),
      });
      rememberProof(about, { proofId, address });
    } catch (error) {
      setFailure(whyNot(error));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => { event.preventDefault(); void send(); }}>
      {handle
        ? <p className="mb-3 flex rounded-lg bg-sunken p-2"><HandleLine of={handle} /></p>
        : <Input label="Address he says is his" dir="ltr" autoComplete="off" autoFocus placeholder="ada@example.org or +44…" value={typed} onValue={(value) => { setTyped(value); anew(); }} help="An e-mail address, or a phone number beginning with +." />}
      <fieldset className="mb-3">
        <legend className="mb-1 text-[13px] font-medium">What is sent?</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {methods.map(({ link: is, icon: Icon, label, plain }) => (
            <label key={label} className="flex cursor-pointer items-start gap-2 rounded-xl border p-2.5 has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2">
              <input type="radio" name="method" className="mt-0.5 size-4" checked={link === is} onChange={() => { setLink(is); anew(); }} />
              <span><span className="flex items-center gap-1.5 font-medium"><Icon size={15} aria-hidden />{label}</span><span className="text-xs text-muted">{plain}</span></span>
            </label>
          ))}
        </div>
      </fieldset>
      {data && inboxes.length === 0
        ? <p role="alert" className="mb-3 rounded-lg bg-warn-soft px-3 py-2 text-warn">{kind === 'phone' ? 'No inbox can write to phone numbers.' : 'No inbox can write to this address. Add an email inbox under Settings.'}</p>
        : inboxes.length > 1
          ? <Select label="Sent by" value={inbox?.id ?? ''} onValue={(value) => { setChosen(value); anew(); }} options={inboxes.map((one) => [one.id, `${one.name} (${channelName(one.channel)})`] as const)} />
          : inbox && <p className="mb-3 text-muted">Sent by <bdi className="text-ink">{inbox.name}</bdi>. It says nothing of what he wrote to you.</p>}
      {failure && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger">Not sent. {failure}</p>}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button look="primary" type="submit" disabled={busy || !inbox || address === '' || kind === ''}><Send size={14} aria-hidden className="rtl:rotate-180" />{busy ? 'Sending…' : link ? 'Send the link' : 'Send the code'}</Button>
      </div>
    </form>
  );
}
