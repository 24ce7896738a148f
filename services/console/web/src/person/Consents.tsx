import { useState } from 'react';
import { inbox as hub, newKey } from '../api/client';
import { describe } from '../api/error';
import { useInboxName } from '../api/queries';
import type { Consent, Customer } from '../gen/weftline/inbox/v1/types_pb';
import { Button } from '../ui/Button';
import { Area } from '../ui/Field';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { Part } from './Part';

/** What somebody said about being written to, and a way to record that he said something else. */
export function Consents({ of, addressOf }: { of: Customer; addressOf(handleId: string): string }) {
  if (of.consents.length === 0) return null;
  return (
    <Part title="Consent">
      <ul className="space-y-2 text-[13px]">{of.consents.map((one) => <Line key={one.handleId + one.inboxId} customerId={of.id} consent={one} address={addressOf(one.handleId)} />)}</ul>
    </Part>
  );
}

function Line({ customerId, consent, address }: { customerId: string; consent: Consent; address: string }) {
  const inbox = useInboxName();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const out = consent.wish === 'out';
  const record = async (): Promise<void> => {
    setBusy(true);
    try {
      await hub.setConsent({ customerId, handleId: consent.handleId, inboxId: consent.inboxId, wish: out ? 'in' : 'out', reason: reason.trim(), idempotencyKey: newKey() });
      say('Recorded.');
      setOpen(false);
      setReason('');
    } catch (error) {
      say(describe(error), { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  return (
    <li>
      <p className={out ? 'text-warn' : 'text-muted'}><bdi dir="ltr">{address || 'An address'}</bdi> {out ? 'opted out of' : 'opted in to'} <bdi>{inbox(consent.inboxId)}</bdi>, <When at={consent.at} />{consent.entryId ? ', by a message' : ', recorded by an agent'}</p>
      {!open && <button className="min-h-6 text-xs underline underline-offset-2" onClick={() => setOpen(true)}>{out ? 'Record that he opted in…' : 'Record that he opted out…'}</button>}
      {open && (
        <form onSubmit={(event) => { event.preventDefault(); void record(); }}>
          <Area label="How do you know?" help="1 to 500 characters. It is kept in the audit log that you did." rows={2} required value={reason} onValue={(value) => setReason(value.slice(0, 500))} />
          <Button look="primary" type="submit" disabled={busy || reason.trim() === ''}>Record</Button>
        </form>
      )}
    </li>
  );
}
