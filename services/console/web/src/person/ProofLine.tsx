import { Hourglass, XCircle } from 'lucide-react';
import { left as clockOf, standing, useProofs } from './proofs';
import { useProof } from './useProof';

/** Beside an address whose proof is under way, or ended badly: how it stands. Pressed, it opens it. */
export function ProofLine({ about, onOpen }: { about: string; onOpen(): void }) {
  const asked = useProofs((s) => s.of[about]);
  const { proof, left } = useProof(asked?.proofId ?? '');
  if (!asked || !proof || proof.state === 'passed') return null;
  const { tone, title } = standing(proof);
  const bad = tone === 'bad';
  const Icon = bad ? XCircle : Hourglass;
  return (
    <button type="button" onClick={onOpen} className={`flex min-h-7 items-center gap-1.5 rounded-lg px-1.5 text-xs font-medium ${bad ? 'bg-danger-soft text-danger' : 'bg-warn-soft text-warn'}`}>
      <Icon size={13} aria-hidden />
      <span><span className="underline decoration-dotted underline-offset-2">{title}</span>{!bad && proof.state === 'open' && <> · {clockOf(left)} left</>}</span>
    </button>
  );
}
