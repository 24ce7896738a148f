import { CloudOff, Clock3, Lock, XCircle, AlertTriangle, ShieldAlert } from 'lucide-react';
import { remove, type Pending } from '../outbox/outbox';
import { again } from '../outbox/sender';
import { giveBack } from '../composer/giveback';
import { Button } from '../ui/Button';
import { cx } from '../ui/cx';
import { Said } from './Said';

const faces = {
  queued: { icon: CloudOff, label: 'Waiting for the connection' },
  sending: { icon: Clock3, label: 'Sending…' },
  failed: { icon: XCircle, label: 'Not sent' },
  refused: { icon: AlertTriangle, label: 'Held back: something new came in' },
  refuted: { icon: ShieldAlert, label: 'Held back: the sender does not own the address' },
} as const;

/** What the agent sent and the hub has not confirmed. */
export function PendingLine({ item }: { item: Pending }) {
  const { icon: Icon, label } = faces[item.state];
  const note = item.kind === 'note';
  const held = item.state === 'refused' || item.state === 'refuted';
  const bad = item.state === 'failed' || held;
  return (
    <article aria-label={note ? 'Your note, not yet saved' : 'Your reply, not yet sent'} className="flex flex-col items-end py-1">
      <div className={cx('max-w-[85%] rounded-2xl border px-3.5 py-2', note ? 'border-dashed border-note-line bg-note text-note-ink' : 'rounded-ee-md border-accent-text/20 bg-accent-soft', bad && 'border-danger!')}>
        {note && <p className="flex items-center gap-1 text-xs font-semibold"><Lock size={12} aria-hidden />Note · Only your team</p>}
        <Said text={item.text} />
        {item.attachments.length > 0 && <p className="text-xs text-muted">{item.attachments.length} {item.attachments.length === 1 ? 'file' : 'files'}</p>}
      </div>
      <div className={cx('mt-0.5 flex flex-wrap items-center justify-end gap-1.5 px-1 text-xs', bad ? 'text-danger' : 'text-muted')}>
        <span className="inline-flex items-center gap-1"><Icon size={13} aria-hidden />{label}{item.reason && item.state === 'failed' && <>: <bdi>{item.reason}</bdi></>}</span>
        {bad && <Button small look="ghost" className="text-current! underline" onClick={() => again(item.key)}>{held ? 'Send anyway' : 'Send again'}</Button>}
        {(bad || item.state === 'queued') && <Button small look="ghost" className="text-current! underline" onClick={() => { giveBack(item); remove(item.key); }}>Back to the draft</Button>}
      </div>
    </article>
  );
}
