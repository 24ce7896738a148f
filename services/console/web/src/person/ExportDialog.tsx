import { useQuery } from '@tanstack/react-query';
import { Download, FileArchive } from 'lucide-react';
import { useRef, useState } from 'react';
import { identity, newKey } from '../api/client';
import { describe } from '../api/error';
import type { Export, Person } from '../gen/weftline/identity/v1/types_pb';
import { size } from '../timeline/Attachments';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Failed } from '../ui/State';
import { When } from '../ui/When';
import { called } from './called';
import { memberName } from './members';

/** How often progress is asked for, ms. */
const every = 1_000;

/** One archive of everything about the members chosen. */
export function ExportDialog({ person, onClose }: { person: Person; onClose(): void }) {
  const members = person.members.filter((member) => !member.erased && member.customer);
  const [chosen, setChosen] = useState<readonly string[]>(members.map((member) => member.customer!.id));
  const [started, setStarted] = useState<Export | undefined>();
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const key = useRef(newKey());
  const { data, error, refetch } = useQuery({
    queryKey: ['export', started?.id], enabled: started !== undefined, staleTime: 0, gcTime: 0,
    queryFn: async () => (await identity.getExport({ exportId: started!.id })).export,
    refetchInterval: (query) => ((query.state.data?.state ?? 'running') === 'running' ? every : false),
  });
  const now = data ?? started;
  const start = async (): Promise<void> => {
    setBusy(true);
    setFailure('');
    try {
      setStarted((await identity.startExport({ customerIds: [...chosen], idempotencyKey: key.current })).export);
    } catch (refused) {
      setFailure(describe(refused));
    } finally {
      setBusy(false);
    }
  };
  const toggle = (id: string): void => {
    key.current = newKey();
    setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  };
  return (
    <Dialog open onClose={onClose} title={`Export ${called(person.name, person.id)}`} about="One archive of everything that is stored: messages, files, notes, attributes and who is who. It is kept for 24 hours.">
      {!now && (
        <form onSubmit={(event) => { event.preventDefault(); void start(); }}>
          {members.length > 1 && (
            <fieldset className="mb-3">
              <legend className="mb-1 text-[13px] font-medium">Whose?</legend>
              {members.map(({ customer }) => <label key={customer!.id} className="flex min-h-8 items-center gap-2"><input type="checkbox" className="size-4" checked={chosen.includes(customer!.id)} onChange={() => toggle(customer!.id)} /><bdi>{memberName(customer)}</bdi></label>)}
            </fieldset>
          )}
          {failure && <p role="alert" className="mb-2 text-danger">Not exported. {failure}</p>}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" type="submit" disabled={busy || chosen.length === 0}><FileArchive size={14} aria-hidden />{busy ? 'Starting…' : 'Export'}</Button>
          </div>
        </form>
      )}
      {error !== null && <Failed what="It is not known how far the export is." error={error} onRetry={() => void refetch()} />}
      <div role="status">
        {now?.state === 'running' && <p className="flex items-center gap-2"><FileArchive size={16} aria-hidden className="text-muted motion-safe:animate-pulse" />Collecting everything… You may close this; ask again to get the archive.</p>}
        {now?.state === 'done' && (
          <div className="grid justify-items-start gap-2">
            <p>The archive is ready: {size(now.size)}{now.expiresAt && <>, kept until <When at={now.expiresAt} /></>}.</p>
            <a href={`/exports/${encodeURIComponent(now.id)}`} download className="inline-flex min-h-9 items-center gap-2 rounded-lg bg-accent px-3 font-medium text-accent-ink"><Download size={15} aria-hidden />Download the archive</a>
          </div>
        )}
        {now?.state === 'failed' && <p className="text-danger">The export failed: <bdi>{now.failure || 'nobody knows why'}</bdi></p>}
        {now?.state === 'expired' && <p className="text-muted">This archive is kept no more. Export again.</p>}
      </div>
    </Dialog>
  );
}
