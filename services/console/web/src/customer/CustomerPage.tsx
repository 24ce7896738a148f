import { useNavigate, useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { loadTimeline } from '../live/load';
import { cacheNow, useLive } from '../live/store';
import { isOn, millis } from '../live/cache';
import { Failed, Skeleton } from '../ui/State';
import { PersonPane } from '../person/PersonPane';

/** A customer by his own address, any one of a person’s: opens the newest conversation, or shows him when there is none. */
export function CustomerPage() {
  const { customerId = '' } = useParams({ strict: false }) as { customerId?: string };
  const known = useLive((s) => s.cache.customers.has(customerId));
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>();
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let gone = false;
    setError(undefined);
    loadTimeline(customerId).then(
      () => {
        const timeline = cacheNow().timelines.get(customerId);
        const newest = [...cacheNow().conversations.values()].filter((row) => timeline !== undefined && isOn(timeline, row.customerId)).sort((a, b) => millis(b.lastAt) - millis(a.lastAt))[0];
        if (!gone && newest) void navigate({ to: '/c/$conversationId', params: { conversationId: newest.id }, search: {}, replace: true });
      },
      (failure: unknown) => !gone && setError(failure),
    );
    return () => void (gone = true);
  }, [customerId, navigate, tries]);
  return (
    <main className="scroll mx-auto h-full max-w-md">
      <h1 className="sr-only">Customer</h1>
      {error !== undefined && <Failed what="This customer could not be opened." error={error} onRetry={() => setTries(tries + 1)} />}
      {error === undefined && !known && <Skeleton rows={3} />}
      {known && <PersonPane customerId={customerId} conversationId="" />}
    </main>
  );
}
