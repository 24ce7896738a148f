import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { isUnimplemented } from '../api/error';
import { personQuery } from '../api/queries';
import type { Person } from '../gen/weftline/identity/v1/types_pb';
import { useLive } from '../live/store';
import { personOf } from './members';

type Known = {
  /** Undefined until anything is known of him. */
  person: Person | undefined;
  /** Only what the timeline tells; links, evidence and holds are missing. */
  partly: boolean;
  /** Why only that. */
  error: unknown;
  /** The hub cannot say more. */
  unable: boolean;
};

/** The person any of whose customers is named. */
export function usePerson(customerId: string): Known {
  const { data, error } = useQuery({ ...personQuery(customerId), enabled: customerId !== '' });
  const members = useLive((s) => s.cache.timelines.get(customerId)?.members);
  const customer = useLive((s) => s.cache.customers.get(customerId));
  const simple = useMemo(() => (members ? personOf(members, customer) : customer ? personOf([customer], customer) : undefined), [members, customer]);
  return { person: data ?? simple, partly: !data, error: data ? undefined : error ?? undefined, unable: !data && error !== null && isUnimplemented(error) };
}
