import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { identity } from '../api/client';
import type { HandleEvidence } from '../gen/weftline/identity/v1/types_pb';
import type { Customer } from '../gen/weftline/inbox/v1/types_pb';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Area, Input } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { called } from './called';
import { CustomerPicker } from './CustomerPicker';
import { HandleLine } from './HandleLine';
import { Refused, Stale, Warnings } from './Notices';
import { refreshPersons } from './refresh';
import { usePreview } from './usePreview';

/** Gives an address to another customer, or to a new one, from a time on: the wrong number, the mailbox that changed hands. */
export function MoveDialog({ customerId, handle, onClose }: { customerId: string; handle: HandleEvidence; onClose(): void }) {
  const navigate = useNavigate();
  const [whom, setWhom] = useState<'new' | 'other'>('new');
  const [other, setOther] = useState<Customer | undefined>();
  const [from, setFrom] = useState('');
  const [along, setAlong] = useState<readonly string[]>([]);
  const [reason, setReason] = useState('');
  const handleId = handle.handle?.id ?? '';
  const to = whom === 'other' ? other?.id ?? '' : '';
  const at = from && !Number.isNaN(Date.parse(from)) ? { validFrom: timestampFromMs(Date.parse(from)) } : {};
  const ready = whom === 'new' || other !== undefined;
  const { data, error, isFetching, refetch, changes, failure, busy, order } = usePreview(['move', handleId, to, from], () => identity.previewMove({ handleId, to, ...at }), ready);
  const move = () => order(async (idempotencyKey) => {
    const { customerId: owner } = await identity.moveHandle({ handleId, to, ...at, token: data!.token, along: along.filter((id) => data!.dependents.some((one) => one.handle?.id === id)), reason: reason.trim(), idempotencyKey });
    refreshPersons(customerId, owner);
    say('Moved.', { action: { label: 'Show', run: () => void navigate({ to: '/customers/$customerId', params: { customerId: owner } }) } });
    onClose();
  });
  const toggle = (id: string): void => setAlong(along.includes(id) ? along.filter((one) => one !== id) : [...along, id]);
  return (
    <Dialog open onClose={onClose} wide title="Move this address" about="For an address that is somebody else’s: a wrong number, or one that changed hands. What was said with it since then goes along, whole conversations at a time.">
      <form onSubmit={(event) => { event.preventDefault(); void move(); }}>
        <p className="mb-3 flex rounded-lg bg-sunken p-2"><HandleLine of={handle} /></p>
        <fieldset className="mb-3">
          <legend className="mb-1 text-[13px] font-medium">To whom?</legend>
          <label className="flex min-h-8 items-center gap-2"><input type="radio" name="whom" className="size-4" checked={whom === 'new'} onChange={() => setWhom('new')} />A new customer</label>
          <label className="flex min-h-8 items-center gap-2"><input type="radio" name="whom" className="size-4" checked={whom === 'other'} onChange={() => setWhom('other')} />Another customer{other && whom === 'other' && <>: <b><bdi>{called(other.name, other.id)}</bdi></b></>}</label>
        </fieldset>
        {whom === 'other' && (other
          ? <Button small className="mb-3" onClick={() => setOther(undefined)}>Choose somebody else</Button>
          : <CustomerPicker label="Whose is it?" without={[customerId]} onPick={setOther} />)}
        <Input label="Since when?" type="datetime-local" help="Empty means now. Not before it came to this customer." value={from} onValue={setFrom} />
        {ready && error !== null && !data && <Failed what="The preview could not be made." error={error} onRetry={() => void refetch()} />}
        {ready && !data && isFetching && <Skeleton rows={2} height={40} />}
        {data && (
          <div aria-busy={isFetching}>
            <Stale changes={changes} />
            <Refused why={data.refused} />
            <Warnings of={data.warnings} />
            <h3 className="mb-1 text-xs font-semibold text-muted">What goes along</h3>
            {data.moving.length === 0 && <p className="mb-3 text-muted">Nothing: no conversation began with it since then.</p>}
            <ul className="mb-3 grid gap-1">
              {data.moving.map((one) => (
                <li key={one.conversationId} className="rounded-lg bg-sunken px-2 py-1">
                  <bdi className="font-medium">{one.subject || 'Conversation'}</bdi> <span className="text-muted">· {String(one.messages)} {one.messages === 1n ? 'message' : 'messages'} · <When at={one.openedAt} /> · {one.whole ? 'the whole of it' : 'a part; the rest stays'}</span>
                </li>
              ))}
            </ul>
            {data.dependents.length > 0 && (
              <fieldset className="mb-3">
                <legend className="mb-1 text-[13px] font-medium">Proven through this address. Do these go along too?</legend>
                {data.dependents.map((one) => (
                  <label key={one.handle?.id} className="flex min-h-9 items-center gap-2"><input type="checkbox" className="size-4" checked={along.includes(one.handle?.id ?? '')} onChange={() => toggle(one.handle?.id ?? '')} /><HandleLine of={one} /></label>
                ))}
              </fieldset>
            )}
          </div>
        )}
        <Area label="Why (optional)" help="Kept in the audit log. At most 500 characters." rows={2} value={reason} onValue={(value) => setReason(value.slice(0, 500))} />
        {failure && <p role="alert" className="mb-2 text-danger">Not moved. {failure}</p>}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={!data || busy || isFetching || data.refused !== ''}>{busy ? 'Moving…' : 'Move'}</Button>
        </div>
      </form>
    </Dialog>
  );
}
