import { inbox } from '../api/client';
import { keyOf, type Filter } from '../queue/filter';
import { cacheNow, takeSnapshot, useLive } from './store';
import { mergeHead, mergeList, mergeOlder, mergeRows } from './snapshot';

const pageSize = 50;
const running = new Map<string, Promise<void>>();

/** Calls with the same name share one run. */
function once(name: string, run: () => Promise<void>): Promise<void> {
  const going = running.get(name);
  if (going) return going;
  const promise = run().finally(() => running.delete(name));
  running.set(name, promise);
  return promise;
}

const request = (filter: Filter) => ({ status: filter.status, assignee: filter.assignee, inboxId: filter.inboxId, pageSize });

/** Fetches the top of a queue. */
export const loadList = (filter: Filter): Promise<void> =>
  once('list ' + keyOf(filter), async () => {
    const askedAt = Date.now();
    const page = await inbox.listConversations(request(filter));
    takeSnapshot(askedAt, (cache) => mergeList(cache, filter, page, true));
    if (page.counts) useLive.setState({ counts: page.counts });
  });

/** Fetches the next page of a queue, if there is one. */
export const loadMore = (filter: Filter): Promise<void> =>
  once('more ' + keyOf(filter), async () => {
    const next = cacheNow().lists.get(keyOf(filter))?.next;
    if (!next) return;
    const askedAt = Date.now();
    const page = await inbox.listConversations({ ...request(filter), pageToken: next });
    takeSnapshot(askedAt, (cache) => mergeList(cache, filter, page, false));
  });

/** Fetches one row. */
export const loadConversation = (conversationId: string): Promise<void> =>
  once('row ' + conversationId, async () => {
    const askedAt = Date.now();
    const { conversation } = await inbox.getConversation({ conversationId });
    if (conversation) takeSnapshot(askedAt, (cache) => mergeRows(cache, [conversation]));
  });

/** Fetches the newest page of a customer's timeline, with the customer and all conversations on it. */
export const loadTimeline = (customerId: string): Promise<void> =>
  once('head ' + customerId, async () => {
    const askedAt = Date.now();
    const page = await inbox.getTimeline({ customerId, pageSize });
    takeSnapshot(askedAt, (cache) => mergeHead(cache, customerId, page));
  });

/** Fetches the next older page of a customer's timeline, if there is one. */
export const loadOlder = (customerId: string): Promise<void> =>
  once('older ' + customerId, async () => {
    const token = cacheNow().timelines.get(customerId)?.older;
    if (!token) return;
    const askedAt = Date.now();
    const page = await inbox.getTimeline({ customerId, pageSize, pageToken: token });
    takeSnapshot(askedAt, (cache) => mergeOlder(cache, customerId, page));
  });

/** Fetches the counts beside the queues. */
export const loadCounts = (): Promise<void> =>
  once('counts', async () => {
    const { counts } = await inbox.listConversations({ pageSize: 1 });
    if (counts) useLive.setState({ counts });
  });
