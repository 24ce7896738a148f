import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { identity } from '../api/client';
import { queries } from '../api/queries';
import type { Erasure, ErasureMember } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Area, Input } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { called } from './called';
import { ErasureProgress } from './ErasureProgress';
import { HandleLine } from './HandleLine';
import { Refused, Stale, Warnings } from './Notices';
import { refreshPersons } from './refresh';
import { usePreview } from './usePreview';

/** Erases the members chosen, after exactly what goes was shown and the word that means this customer was typed. */
export function EraseDialog({ customerId, name, word, onClose }: { customerId: string; name: string; word: string; onClose(): void }) {
  const [left, setLeft] = useState<readonly string[]>([]);
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [running, setRunning] = useState<Erasure | undefined>();
  const { data, error, isFetching, refetch, changes, failure, busy, order } = usePreview(['erase', customerId], () => identity.previewErasure({ customerIds: [customerId] }), !running);
  const chosen = (data?.members ?? []).filter((member) => !left.includes(member.customerId));
  // A hold refuses whom it is on; the others may go.
  const held = chosen.filter((member) => member.holds.length > 0);
  const refused = held.length > 0 ? data?.refused || 'a legal hold forbids it' : data?.members.some((member) => member.holds.length > 0) ? '' : data?.refused ?? '';
  const erase = () => order(async (idempotencyKey) => {
    const { erasure } = await identity.erase({ customerIds: chosen.map((member) => member.customerId), token: data!.token, reason: reason.trim(), idempotencyKey });
    setRunning(erasure);
    void queries.invalidateQueries({ queryKey: ['erasures'] });
  });
  const close = (): void => {
    if (running) refreshPersons(...running.customerIds);
    onClose();
  };
  const toggle = (id: string): void => setLeft(left.includes(id) ? left.filter((one) => one !== id) : [...left, id]);
  return (
    <Dialog open onClose={close} wide title={running ? 'Erasure' : `Erase ${name}`} about={running ? 'It goes on by itself, even when you close this.' : 'Messages, files, notes, attributes and addresses are destroyed for good, in the log and in every list. This cannot be undone.'}>
      {running && <ErasureProgress erasure={running} />}
      {running && <div className="mt-4 flex justify-end"><Button onClick={close}>Close</Button></div>}
      {!running && error !== null && !data && <Failed what="What would be erased could not be listed." error={error} onRetry={() => void refetch()} />}
      {!running && !data && isFetching && <Skeleton rows={2} />}
      {!running && data && (
        <form onSubmit={(event) => { event.preventDefault(); void erase(); }}>
          <Stale changes={changes} />
          <Refused why={refused} />
          <Warnings of={data.warnings} />
          <fieldset className="mb-3">
            <legend className="mb-1 text-[13px] font-medium">What goes</legend>
            <ul className="grid gap-2">{data.members.map((member) => <Member key={member.customerId} member={member} chosen={!left.includes(member.customerId)} onToggle={() => toggle(member.customerId)} />)}</ul>
          </fieldset>
          <Area label="Why (optional)" help="Not kept with the erasure: nothing about this customer may be left." rows={2} value={reason} onValue={(value) => setReason(value.slice(0, 500))} />
          <Input label={`Type “${word}” to confirm`} {...(word === name.trim() ? {} : { help: 'The end of his id: he has no name of his own.' })} autoComplete="off" value={typed} onValue={setTyped} />
          {failure && <p role="alert" className="mb-2 text-danger">Not erased. {failure}</p>}
          <div className="flex justify-end gap-2">
            <Button onClick={close}>Cancel</Button>
            <Button look="danger" type="submit" disabled={busy || isFetching || refused !== '' || chosen.length === 0 || typed.trim() !== word}><Trash2 size={14} aria-hidden />{busy ? 'Ordering…' : 'Erase for good'}</Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

const counts = (member: ErasureMember): string =>
  ([[member.messages, 'message', 'messages'], [member.replies, 'reply', 'replies'], [member.notes, 'note', 'notes'], [member.attachments, 'file', 'files']] as const)
    .map(([n, one, many]) => `${n} ${n === 1n ? one : many}`).join(' · ');

function Member({ member, chosen, onToggle }: { member: ErasureMember; chosen: boolean; onToggle(): void }) {
  return (
    <li className="rounded-xl border p-3">
      <label className="flex min-h-7 items-center gap-2 font-semibold"><input type="checkbox" className="size-4" checked={chosen} onChange={onToggle} /><bdi>{called(member.name, member.customerId)}</bdi></label>
      <p className="mb-1.5 text-[13px] text-muted">{counts(member)}</p>
      <ul className="grid gap-1.5">{member.handles.map((handle) => <li key={handle.handle?.id} className="flex"><HandleLine of={handle} /></li>)}</ul>
      {member.holds.map((hold) => <p key={hold.id} className="mt-1.5 text-danger">Legal hold: <bdi>{hold.reason || 'no reason given'}</bdi></p>)}
    </li>
  );
}
