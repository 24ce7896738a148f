import { useQuery } from '@tanstack/react-query';
import { Check, Circle, CircleDot } from 'lucide-react';
import { identity } from '../api/client';
import type { Erasure } from '../gen/weftline/identity/v1/types_pb';
import { Failed } from '../ui/State';
import { erasureSteps, stepOf } from './words';

/** How often progress is asked for, ms. */
const every = 1_000;

/** How far an erasure is, asked for until it is done. */
export function ErasureProgress({ erasure }: { erasure: Erasure }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['erasure', erasure.id], initialData: erasure, staleTime: 0,
    queryFn: async () => (await identity.getErasure({ eraseId: erasure.id })).erasure ?? erasure,
    refetchInterval: (query) => (query.state.data?.state === 'done' ? false : every),
  });
  const done = stepOf(data.state);
  return (
    <div>
      <ol aria-label="Steps of the erasure" className="grid gap-0.5">
        {erasureSteps.map(([state, label], i) => {
          const Icon = i < done ? Check : i === done ? CircleDot : Circle;
          return <li key={state} aria-current={i === done ? 'step' : undefined} className={i < done ? 'flex items-center gap-2' : 'flex items-center gap-2 text-muted'}><Icon size={14} aria-hidden />{label}<span className="sr-only">{i < done ? ' (done)' : ''}</span></li>;
        })}
      </ol>
      <div role="status">
        {data.state === 'done' && <p className="mt-2 font-semibold">Everything was erased. The audit log says who ordered it and when; nothing of what was said is left.</p>}
        {data.trouble && data.state !== 'done' && <p className="mt-2 text-warn">It was held up and is tried again by itself: <bdi>{data.trouble}</bdi></p>}
      </div>
      {error !== null && <Failed what="It is not known how far it is." error={error} onRetry={() => void refetch()} />}
    </div>
  );
}
