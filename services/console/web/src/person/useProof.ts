import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { proofQuery } from '../api/queries';
import type { Proof } from '../gen/weftline/identity/v1/types_pb';
import { proofEvery, timeLeft } from './proofs';
import { refreshPersons } from './refresh';

const running = (proof: Proof | undefined): boolean => proof?.state === 'open' || proof?.state === 'proven';

/** A proof as it stands, asked again while it is open, with the time left in ms. When it passes, everything of its customers is asked for again. */
export function useProof(proofId: string) {
  const { data: proof, error, refetch } = useQuery({
    ...proofQuery(proofId), enabled: proofId !== '',
    refetchInterval: (query) => (running(query.state.data) ? proofEvery : false),
  });
  const state = proof?.state;
  useEffect(() => {
    if (!proof || state !== 'passed') return;
    const refresh = (): void => refreshPersons(...[proof.customerId, proof.ownerId].filter(Boolean));
    refresh();
    // What follows is written to other streams, which reads may show a little later.
    setTimeout(refresh, 2 * proofEvery);
  }, [proofId, state]);
  const now = useSeconds(running(proof));
  return { proof, error, refetch, left: proof ? timeLeft(proof, now) : 0 };
}

/** A clock that ticks every second while it is wanted. */
function useSeconds(on: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!on) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}
