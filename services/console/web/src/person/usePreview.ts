import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { newKey } from '../api/client';
import { describe, previewStale } from '../api/error';

/**
 * A preview and the order that names it. An order that is refused because the
 * preview is stale is not repeated: the new preview is shown and asked about again.
 */
export function usePreview<P>(key: readonly unknown[], ask: () => Promise<P>, enabled = true) {
  const { data, error, isFetching, refetch } = useQuery({ queryKey: ['preview', ...key], queryFn: ask, staleTime: 0, gcTime: 0, retry: false, enabled });
  const [changes, setChanges] = useState<readonly string[] | undefined>();
  const [failure, setFailure] = useState('');
  const [busy, setBusy] = useState(false);
  const idempotency = useRef(newKey());
  const order = async (what: (idempotencyKey: string) => Promise<void>): Promise<void> => {
    setBusy(true);
    setFailure('');
    try {
      await what(idempotency.current);
    } catch (refused) {
      const stale = previewStale(refused);
      setChanges(stale);
      if (stale) {
        idempotency.current = newKey();
        await refetch();
      } else setFailure(describe(refused));
    } finally {
      setBusy(false);
    }
  };
  return { data: enabled ? data : undefined, error, isFetching, refetch, changes, failure, busy, order };
}
