import { Merge as MergeIcon } from 'lucide-react';
import { useState } from 'react';
import { identity } from '../api/client';
import { useAgentName } from '../api/queries';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Area } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { Conflicts } from './Conflicts';
import { Refused, Stale, Warnings } from './Notices';
import { refreshPersons } from './refresh';
import { SideColumn } from './SideColumn';
import { usePreview } from './usePreview';
import { madeBy } from './words';

type Props = { a: string; b: string; suggestionId?: string; onClose(): void; onBack?: () => void };

/** Both sides beside what would become of them. Nothing is merged before it is confirmed, and it can be taken apart for ever. */
export function MergeDialog({ a, b, suggestionId = '', onClose, onBack }: Props) {
  const name = useAgentName();
  const [reason, setReason] = useState('');
  const { data, error, isFetching, refetch, changes, failure, busy, order } = usePreview(['merge', a, b], () => identity.previewMerge({ a, b }));
  const merge = () => order(async (idempotencyKey) => {
    const answers = suggestionId || data!.suggestions[0]?.id || '';
    await identity.merge({ a, b, token: data!.token, suggestionId: answers, reason: reason.trim(), idempotencyKey });
    refreshPersons(a, b);
    say('Merged. It can be taken apart at any time, under Merges.');
    onClose();
  });
  return (
    <Dialog open onClose={onClose} broad title="Merge into one person?" about="Nothing is moved or rewritten: both are shown as one person from now on, and you can take them apart whenever you like.">
      {error !== null && !data && <Failed what="The preview could not be made." error={error} onRetry={() => void refetch()} />}
      {!data && isFetching && <Skeleton rows={3} />}
      {data && (
        <form onSubmit={(event) => { event.preventDefault(); void merge(); }}>
          <Stale changes={changes} />
          <Refused why={data.refused} />
          <Warnings of={data.warnings} />
          {data.suggestions.length > 0 && (
            <div className="mb-3"><h3 className="text-xs font-semibold text-muted">Why it was suggested</h3><ul className="list-disc ps-5">{data.suggestions.flatMap((one) => one.reasons.map((why, i) => <li key={one.id + i}><bdi>{why.text}</bdi></li>))}</ul></div>
          )}
          <div aria-busy={isFetching} className="mb-4 grid grid-cols-[minmax(0,1fr)] gap-3 md:grid-cols-3">
            <SideColumn title="A" side={data.a} />
            <SideColumn title="B" side={data.b} />
            <SideColumn title="Result" side={data.result} result />
          </div>
          <Conflicts of={data.conflicts} />
          {data.links.length > 0 && (
            <div className="mb-4"><h3 className="mb-1 text-xs font-semibold text-muted">What connects them already</h3><ul className="list-disc ps-5">{data.links.map((link) => <li key={link.id}>{madeBy(link, name)}</li>)}</ul></div>
          )}
          <Area label="Why (optional)" help="Kept in the audit log, not on the timeline. At most 500 characters." rows={2} value={reason} onValue={(value) => setReason(value.slice(0, 500))} />
          <div className="sticky -bottom-5 -mx-5 -mb-5 border-t bg-raised px-5 py-3">
            {failure && <p role="alert" className="mb-2 text-danger">Not merged. {failure}</p>}
            <div className="flex flex-wrap justify-end gap-2">
              {onBack && <Button look="ghost" className="me-auto" onClick={onBack}>Choose somebody else</Button>}
              <Button onClick={onClose}>Cancel</Button>
              <Button look="primary" type="submit" disabled={busy || isFetching || data.refused !== ''}><MergeIcon size={14} aria-hidden />{busy ? 'Merging…' : changes ? 'Merge all the same' : 'Merge'}</Button>
            </div>
          </div>
        </form>
      )}
    </Dialog>
  );
}
