import { Scale } from 'lucide-react';
import { useRef, useState } from 'react';
import { identity, newKey } from '../api/client';
import { describe } from '../api/error';
import type { Member } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Area, Select } from '../ui/Field';
import { say } from '../ui/toast';
import { memberName } from './members';
import { refreshPersons } from './refresh';

/** Forbids erasure and retention of a customer until it is lifted. */
export function HoldDialog({ members, onClose }: { members: readonly Member[]; onClose(): void }) {
  const people = members.filter((member) => !member.erased && member.customer);
  const [whom, setWhom] = useState(people[0]?.customer?.id ?? '');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState('');
  const key = useRef(newKey());
  const place = async (): Promise<void> => {
    setBusy(true);
    setFailure('');
    try {
      await identity.placeHold({ customerId: whom, reason: reason.trim(), idempotencyKey: key.current });
      refreshPersons(whom);
      say('The hold is placed.');
      onClose();
    } catch (error) {
      setFailure(describe(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title="Legal hold" about="Nothing of this customer can be erased, by hand or by a retention policy, until it is lifted.">
      <form onSubmit={(event) => { event.preventDefault(); void place(); }}>
        {people.length > 1 && <Select label="On whom?" value={whom} onValue={setWhom} options={people.map(({ customer }) => [customer!.id, memberName(customer)] as const)} />}
        <Area label="Why?" help="1 to 500 characters, as the case it is for." rows={3} required value={reason} onValue={(value) => setReason(value.slice(0, 500))} />
        {failure && <p role="alert" className="mb-2 text-danger">Not placed. {failure}</p>}
        <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button look="primary" type="submit" disabled={busy || reason.trim() === '' || !whom}><Scale size={14} aria-hidden />{busy ? 'Placing…' : 'Place the hold'}</Button></div>
      </form>
    </Dialog>
  );
}
