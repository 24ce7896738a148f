import { Scale } from 'lucide-react';
import { useState } from 'react';
import { identity, newKey } from '../api/client';
import { describe } from '../api/error';
import { useAgentName } from '../api/queries';
import type { Hold } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { refreshPersons } from './refresh';

/** Holds that forbid erasing him. */
export function Holds({ of }: { of: readonly Hold[] }) {
  const name = useAgentName();
  const [busy, setBusy] = useState('');
  const lift = async (hold: Hold): Promise<void> => {
    setBusy(hold.id);
    try {
      await identity.liftHold({ customerId: hold.customerId, holdId: hold.id, idempotencyKey: newKey() });
      refreshPersons(hold.customerId);
      say('The hold is lifted.');
    } catch (error) {
      say(`Not lifted. ${describe(error)}`, { tone: 'bad' });
    } finally {
      setBusy('');
    }
  };
  if (of.length === 0) return null;
  return (
    <ul aria-label="Legal holds" className="mb-4 grid gap-1.5">
      {of.map((hold) => (
        <li key={hold.id} className="rounded-xl border border-warn/40 bg-warn-soft p-2.5 text-warn">
          <p className="flex items-start gap-2"><Scale size={15} aria-hidden className="mt-0.5 shrink-0" /><span><b className="font-semibold">Legal hold.</b> <bdi>{hold.reason}</bdi></span></p>
          <p className="flex flex-wrap items-center justify-between gap-x-2 text-xs"><span>{name(hold.actor)} · <When at={hold.at} /></span><Button small look="ghost" className="text-current! underline" disabled={busy === hold.id} onClick={() => void lift(hold)}>Lift</Button></p>
        </li>
      ))}
    </ul>
  );
}
