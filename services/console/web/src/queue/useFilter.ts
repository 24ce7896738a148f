import { useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useMe } from '../api/queries';
import { readQueueSearch, type QueueSearch } from '../shell/address';
import { statusWords, type Filter, type Scope } from './filter';

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
