import { useState, type FormEvent } from 'react';
import { useQuery } from '@tanstack/react-query';
import { desk } from '../api/client';
import { byField, describe } from '../api/error';
import { queries, signatureQuery } from '../api/queries';
import { Button } from '../ui/Button';
import { Area } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { below, kept, problem } from './signature';

/** The agent's own signature, which goes below what he sends by email. */
export function SignatureForm() {
  const { data, error, refetch } = useQuery(signatureQuery);
  if (data !== undefined) return <Form saved={data} />;
  if (error) return <Failed what="Your signature could not be loaded." error={error} onRetry={() => void refetch()} />;
  return <Skeleton rows={1} height={120} />;
}

function Form({ saved }: { saved: string }) {
  const [text, setText] = useState(saved);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const wrong = problem(text) || (failure === undefined ? '' : byField(failure).signature || describe(failure));
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || problem(text)) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const { signature } = await desk.saveSignature({ signature: text });
      queries.setQueryData(signatureQuery.queryKey, signature);
      setText((now) => (now === text ? signature : now)); // as it is kept, unless he has gone on typing
      say(signature ? 'Your signature is saved.' : 'Your signature is removed.');
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form aria-label="Signature" onSubmit={(event) => void save(event)} className="mb-6">
      <Area
        label="Below your emails" rows={4} value={text} error={wrong}
        onValue={(value) => { setText(value); setFailure(undefined); }}
        help="Plain text, at most 20 lines. What an inbox adds for everybody stands below it. Leave it empty for none."
      />
      <figure className="mb-3">
        <figcaption className="mb-1 text-[13px] font-medium">Preview</figcaption>
        <div className="rounded-lg border bg-panel px-3 py-2">
          <p className="text-muted">Your answer…</p>
          {below(text) ? <p dir="auto" className="mt-2 break-words whitespace-pre-wrap">{below(text)}</p> : <p className="mt-2 text-muted italic">No signature of yours.</p>}
        </div>
      </figure>
      <Button type="submit" look="primary" aria-disabled={busy}>{busy ? 'Saving…' : 'Save the signature'}</Button>
      {!busy && kept(text) !== saved && <span className="ms-3 text-[13px] text-muted">Not saved yet.</span>}
    </form>
  );
}
