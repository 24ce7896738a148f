import { Split } from 'lucide-react';
import { useState } from 'react';
import { identity } from '../api/client';
import { useAgentName } from '../api/queries';
import type { Link } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Area } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { refreshPersons } from './refresh';
import { SideColumn } from './SideColumn';
import { usePreview } from './usePreview';
import { madeBy } from './words';

/** Takes a link back: shows both sides as they would be, and what else still holds them together. */
export function UnmergeDialog({ link, onClose }: { link: Link; onClose(): void }) {
  const name = useAgentName();
  const [reason, setReason] = useState('');
  const { data, error, isFetching, refetch, failure, busy, order } = usePreview(['unmerge', link.id], () => identity.previewUnmerge({ a: link.a, b: link.b, linkIds: [link.id] }));
  const part = () => order(async (idempotencyKey) => {
    await identity.unmerge({ linkIds: data!.links.map((one) => one.id), reason: reason.trim(), idempotencyKey });
    refreshPersons(link.a, link.b);
    say('Taken apart.');
    onClose();
  });
  return (
    <Dialog open onClose={onClose} broad title="Take apart?" about="Both are shown as two persons again. Every message, note and attribute is where it was written; nothing is lost.">
      {error !== null && !data && <Failed what="The preview could not be made." error={error} onRetry={() => void refetch()} />}
      {!data && isFetching && <Skeleton rows={3} />}
      {data && (
        <form onSubmit={(event) => { event.preventDefault(); void part(); }}>
          {data.remaining.length > 0 && (
            <div className="mb-3 rounded-lg bg-warn-soft px-3 py-2 text-warn">
              <p className="font-semibold">{data.remaining.length === 1 ? 'Another link still holds them together. It is taken back too:' : `${data.remaining.length} other links still hold them together. They are taken back too:`}</p>
              <ul className="list-disc ps-5">{data.remaining.map((one) => <li key={one.id}>{madeBy(one, name)}, <When at={one.at} /></li>)}</ul>
            </div>
          )}
          <div className="mb-4 grid grid-cols-[minmax(0,1fr)] gap-3 md:grid-cols-2">
            <SideColumn title="One side" side={data.a} />
            <SideColumn title="The other side" side={data.b} />
          </div>
          {data.written.length > 0 && (
            <div className="mb-4">
              <h3 className="mb-1 text-xs font-semibold text-muted">Written while they were one person: it stays where it was written</h3>
              <ul className="list-disc ps-5">{data.written.map((one, i) => <li key={one.entryId + i}>{one.kind === 'note' ? 'Note' : 'Attribute'}: <bdi>{one.text}</bdi></li>)}</ul>
            </div>
          )}
          <Area label="Why (optional)" help="Kept in the audit log. At most 500 characters." rows={2} value={reason} onValue={(value) => setReason(value.slice(0, 500))} />
          <div className="sticky -bottom-5 -mx-5 -mb-5 border-t bg-raised px-5 py-3">
            {failure && <p role="alert" className="mb-2 text-danger">Not taken apart. {failure}</p>}
            <div className="flex flex-wrap justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button look="primary" type="submit" disabled={busy || isFetching || data.links.length === 0}><Split size={14} aria-hidden />{busy ? 'Taking apart…' : 'Take apart'}</Button>
            </div>
          </div>
        </form>
      )}
    </Dialog>
  );
}
