import { Status, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { millis, type Cache } from '../live/cache';

/** What a queue shows. Kept in the URL. */
export type Filter = {
  status: Status;
  /** Agent id, "none" or "" for everybody. */
  assignee: string;
  inboxId: string;
};

export type Scope = 'mine' | 'unassigned' | 'all';

export const statusWords: Record<string, Status> = {
  open: Status.OPEN,
  pending: Status.PENDING,
  snoozed: Status.SNOOZED,
  closed: Status.CLOSED,
  any: Status.UNSPECIFIED,
};

export const wordOf = (status: Status): string =>
  Object.keys(statusWords).find((word) => statusWords[word] === status) ?? 'open';

export const keyOf = (filter: Filter): string => `${filter.status}|${filter.assignee}|${filter.inboxId}`;

/** True when the queue shows the row. */
export function matches(row: Conversation, filter: Filter): boolean {
  if (filter.status !== Status.UNSPECIFIED && row.status !== filter.status) return false;
  if (filter.assignee === 'none' && row.assignee !== '') return false;
  if (filter.assignee && filter.assignee !== 'none' && row.assignee !== filter.assignee) return false;
  return !filter.inboxId || row.inboxId === filter.inboxId;
}

/** The queue's rows, newest activity first, as far as pages are loaded. */
export function rowsOf(cache: Pick<Cache, 'conversations' | 'lists'>, filter: Filter): Conversation[] {
  const list = cache.lists.get(keyOf(filter));
  const edge = list?.edge ?? Infinity;
  const rows: Conversation[] = [];
  for (const row of cache.conversations.values())
    if (matches(row, filter) && millis(row.lastAt) >= edge) rows.push(row);
  return rows.sort((a, b) => millis(b.lastAt) - millis(a.lastAt) || (a.id < b.id ? 1 : -1));
}
