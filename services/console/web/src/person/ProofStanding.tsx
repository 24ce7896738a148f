import { CheckCircle2, Hourglass, XCircle } from 'lucide-react';
import { useRef, useState } from 'react';
import { identity } from '../api/client';
import { Button } from '../ui/Button';
import { cx } from '../ui/cx';
import { Input } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { left as clockOf, standing, whyNot, wrongCode, type Asked, type Standing } from './proofs';
import { useProof } from './useProof';

const looks: Record<Standing['tone'], { icon: typeof Hourglass; className: string }> = {
  wait: { icon: Hourglass, className: 'bg-sunken' },
  good: { icon: CheckCircle2, className: 'bg-accent-soft text-accent-text' },
  bad: { icon: XCircle, className: 'bg-danger-soft text-danger' },
};

/** A code or a link that was sent: how it stands, the time and tries left, and where the code is typed. */
export function ProofStanding({ asked, onAgain, onClose }: { asked: Asked; onAgain(): void; onClose(): void }) {
  const { proof, error, refetch, left } = useProof(asked.proofId);
  if (error && !proof) return <><Failed what="It is not known how this stands." error={error} onRetry={() => void refetch()} /><Button onClick={onAgain}>Send a new one</Button></>;
  if (!proof) return <Skeleton rows={1} height={56} />;
  const { tone, title, plain } = standing(proof);
  const { icon: Icon, className } = looks[tone];
  const open = proof.state === 'open';
  const over = !open && proof.state !== 'proven';
  return (
    <>
      <div role="status" className={cx('mb-3 flex items-start gap-2.5 rounded-xl px-3 py-2.5', className)}>
        <Icon size={18} aria-hidden className="mt-0.5 shrink-0" />
        <div className="min-w-0">
          <p className="font-semibold">{title}</p>
          <p className="break-words">{asked.address && <>To <bdi dir="ltr">{asked.address}</bdi>. </>}{plain}</p>
        </div>
      </div>
      {open && (
        <dl className="mb-3 grid grid-cols-2 gap-2">
          <div className="rounded-xl border px-3 py-2"><dt className="text-xs text-muted">Expires in</dt><dd className="text-lg font-semibold tabular-nums"><span role="timer">{clockOf(left)}</span></dd></div>
          <div className="rounded-xl border px-3 py-2"><dt className="text-xs text-muted">{proof.method === 'link' ? 'Good for' : 'Tries left'}</dt><dd className="text-lg font-semibold tabular-nums">{proof.method === 'link' ? 'one use' : proof.triesLeft}</dd></div>
        </dl>
      )}
      {open && proof.method === 'code' && <Code proofId={proof.id} onChecked={() => void refetch()} />}
      {open && proof.method === 'link' && <p className="mb-3 text-muted">There is nothing to type: this changes by itself when he has pressed the button on the page behind the link. You may close this meanwhile.</p>}
      <div className="flex flex-wrap justify-end gap-2">
        {(open || over && proof.state !== 'passed') && <Button onClick={onAgain}>{open ? 'Send another instead' : 'Send a new one'}</Button>}
        <Button look={proof.state === 'passed' ? 'primary' : 'plain'} onClick={onClose}>{proof.state === 'passed' ? 'Done' : 'Close'}</Button>
      </div>
    </>
  );
}

function Code({ proofId, onChecked }: { proofId: string; onChecked(): void }) {
  const [code, setCode] = useState('');
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const check = async (): Promise<void> => {
    const unfit = wrongCode(code);
    setWrong(unfit);
    if (unfit || busy) return;
    setBusy(true);
    try {
      const { proven, triesLeft, state } = await identity.checkProof({ proofId, code: code.replaceAll(/[\s-]/g, '') });
      if (!proven && state === 'open') {
        setWrong(`That was not the code. ${triesLeft} ${triesLeft === 1 ? 'try' : 'tries'} left.`);
        setCode('');
      }
      onChecked();
    } catch (error) {
      setWrong(whyNot(error));
    } finally {
      setBusy(false);
      form.current?.querySelector('input')?.focus();
    }
  };
  return (
    <form ref={form} onSubmit={(event) => { event.preventDefault(); void check(); }} className="flex items-start gap-2">
      <div className="min-w-0 flex-1"><Input label="Code the customer reads out" dir="ltr" inputMode="numeric" autoComplete="one-time-code" autoFocus maxLength={9} value={code} onValue={(value) => { setCode(value); setWrong(''); }} error={wrong || undefined} /></div>
      <Button look="primary" type="submit" className="mt-6 min-h-9" disabled={busy || code.trim() === ''}>{busy ? 'Checking…' : 'Check'}</Button>
    </form>
  );
}
