import { useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useMe } from '../api/queries';
import { statusWords, type Filter, type Scope } from './filter';

/** What the URL says about the queue. */
export type QueueSearch = { scope?: Scope; status?: string; inbox?: string };

export function readQueueSearch(search: Record<string, unknown>): QueueSearch {
  const out: QueueSearch = {};
  if (search.scope === 'mine' || search.scope === 'unassigned' || search.scope === 'all') out.scope = search.scope;
  if (typeof search.status === 'string' && search.status in statusWords) out.status = search.status;
  if (typeof search.inbox === 'string' && search.inbox) out.inbox = search.inbox;
  return out;
}

export const defaultScope: Scope = 'all';

export function useFilter(): { filter: Filter; scope: Scope; status: string; search: QueueSearch } {
  const search = readQueueSearch(useSearch({ strict: false }) as Record<string, unknown>);
  const me = useMe();
  const scope = search.scope ?? defaultScope;
  const status = search.status ?? 'open';
  const inboxId = search.inbox ?? '';
  const filter = useMemo(
    () => ({ status: statusWords[status]!, assignee: scope === 'mine' ? me.id : scope === 'unassigned' ? 'none' : '', inboxId }),
    [status, scope, me.id, inboxId],
  );
  return { filter, scope, status, search };
}
