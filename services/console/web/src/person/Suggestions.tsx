import { useQuery } from '@tanstack/react-query';
import { Users } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { identity, newKey } from '../api/client';
import { describe } from '../api/error';
import { suggestionsQuery } from '../api/queries';
import type { Suggestion } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { say } from '../ui/toast';
import { called } from './called';
import { refreshPersons } from './refresh';

const MergeDialog = lazy(() => import('./MergeDialog').then((m) => ({ default: m.MergeDialog })));

/** Who may be the same person and why, of one person or (without an id) of everybody. Draws nothing when there is none, or the hub cannot say. */
export function Suggestions({ customerId = '', members = [] }: { customerId?: string; members?: readonly string[] }) {
  const { data } = useQuery(suggestionsQuery(customerId));
  const [review, setReview] = useState<Suggestion | undefined>();
  const [busy, setBusy] = useState('');
  const refuse = async (one: Suggestion): Promise<void> => {
    setBusy(one.id);
    try {
      await identity.refuseSuggestion({ suggestionId: one.id, a: one.a, b: one.b, idempotencyKey: newKey() });
      refreshPersons(one.a, one.b);
      say('Noted. It is not suggested again without new evidence.');
    } catch (error) {
      say(`Not noted. ${describe(error)}`, { tone: 'bad' });
    } finally {
      setBusy('');
    }
  };
  const open = data ?? [];
  return (
    <>
      {open.length > 0 && (
        <ul aria-label="May be the same person" className="mb-4 grid gap-2">
          {open.map((one) => {
            const mine = members.includes(one.a) ? 'a' : members.includes(one.b) ? 'b' : undefined;
            return (
              <li key={one.id} className="rounded-xl border border-accent-text/40 bg-accent-soft/50 p-2.5">
                <p className="flex items-start gap-2"><Users size={15} aria-hidden className="mt-0.5 shrink-0 text-accent-text" />
                  <span>{mine ? <>May be the same person as <b className="font-semibold"><bdi>{mine === 'a' ? called(one.nameB, one.b) : called(one.nameA, one.a)}</bdi></b></> : <><b className="font-semibold"><bdi>{called(one.nameA, one.a)}</bdi></b> and <b className="font-semibold"><bdi>{called(one.nameB, one.b)}</bdi></b> may be the same person</>}</span>
                </p>
                <ul className="ms-6 text-[13px] text-muted">{one.reasons.map((reason, i) => <li key={i}><bdi>{reason.text}</bdi></li>)}</ul>
                <div className="mt-1.5 flex flex-wrap gap-1.5">
                  <Button small look="primary" onClick={() => setReview(one)}>Review</Button>
                  <Button small disabled={busy === one.id} title="For good: until there is new evidence" onClick={() => void refuse(one)}>Not the same</Button>
                </div>
              </li>
            );
          })}
        </ul>
      )}
      {review && <Suspense fallback={null}><MergeDialog a={review.a} b={review.b} suggestionId={review.id} onClose={() => setReview(undefined)} /></Suspense>}
    </>
  );
}
