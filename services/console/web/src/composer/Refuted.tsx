import { ShieldAlert } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { remove, useOutbox, type Pending } from '../outbox/outbox';
import { again } from '../outbox/sender';
import { inWords } from '../timeline/evidence';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { giveBack } from './giveback';

const NewConversation = lazy(() => import('../conversation/NewConversation').then((m) => ({ default: m.NewConversation })));

/** The hub held a reply back because whoever is answered does not own the address he wrote in the name of. The agent decides. */
export function Refuted() {
  const item = useOutbox((s) => s.items.find((one) => one.state === 'refuted'));
  const [put, setPut] = useState('');
  const [anew, setAnew] = useState<Pending | undefined>();
  if (anew) {
    const close = (): void => setAnew(undefined);
    return <Suspense fallback={null}><NewConversation address={anew.doubt?.address ?? ''} words={anew.text} onClose={close} onSent={() => remove(anew.key)} /></Suspense>;
  }
  if (!item) return null;
  const address = item.doubt?.address ?? '';
  const called = address ? <b className="font-semibold"><bdi dir="ltr">{address}</bdi></b> : 'the address';
  const why = inWords(item.doubt?.evidence ?? '');
  return (
    <Dialog open={put !== item.key} onClose={() => setPut(item.key)} title="Is this really the sender?" about="Your reply was held back: whoever wrote the message you answer was found not to own the address." wide>
      <div className="mb-3 flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2 text-warn">
        <ShieldAlert size={17} aria-hidden className="mt-0.5 shrink-0" />
        <div>
          <p className="font-semibold">Why</p>
          <p>{why ? <bdi>{why}</bdi> : 'What the hub found is not known any more.'}</p>
        </div>
      </div>
      <p className="mb-3">Your reply would go to {called}. If the message is forged, that is somebody who never wrote to you and may be told what is not for him. If he is a customer of yours, his own conversations are elsewhere. A mail that was forwarded on its way can look like this too.</p>
      <p className="mb-1 text-xs font-semibold text-muted">Your reply</p>
      <p dir="auto" className="said mb-4 max-h-32 overflow-y-auto rounded-lg bg-accent-soft px-3 py-2">{item.text}</p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button look="danger" onClick={() => again(item.key)}>Send anyway</Button>
        {item.doubt?.kind === 'email' && address && <Button onClick={() => setAnew(item)}>Write to the address anew</Button>}
        <Button look="primary" autoFocus onClick={() => { giveBack(item); remove(item.key); }}>Keep as draft</Button>
      </div>
      <p className="mt-2 text-end text-xs text-muted">Sending anyway is kept in the audit log and marked in the timeline.</p>
    </Dialog>
  );
}
