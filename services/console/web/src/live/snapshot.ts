import { create } from '@bufbuild/protobuf';
import type { GetTimelineResponse, ListConversationsResponse } from '../gen/weftline/inbox/v1/inbox_pb';
import { CustomerSchema, type Conversation, type TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { byPosition, millis, type Cache, type Timeline } from './cache';
import { matches, type Filter, keyOf } from '../queue/filter';

/** Takes rows of an answer in, unless a live event already told of a newer version. */
export function mergeRows(cache: Cache, rows: readonly Conversation[]): Cache {
  if (rows.length === 0) return cache;
  const conversations = new Map(cache.conversations);
  const stale = new Set(cache.stale);
  for (const row of rows) {
    const have = conversations.get(row.id);
    if (have && have.version > row.version) continue;
    conversations.set(row.id, row);
    stale.delete(row.id);
  }
  return { ...cache, conversations, stale };
}

/** Takes a queue page in. first says that it is the top of the queue and not a further page. */
export function mergeList(cache: Cache, filter: Filter, page: ListConversationsResponse, first: boolean): Cache {
  const last = page.conversations[page.conversations.length - 1];
  const edge = page.nextPageToken ? millis(last?.lastAt) : 0;
  const listed = new Set(page.conversations.map((row) => row.id));
  const merged = mergeRows(cache, page.conversations);
  const stale = new Set(merged.stale);
  if (first) {
    // A row we hold for this page and the hub does not list has changed unseen.
    for (const row of merged.conversations.values())
      if (!listed.has(row.id) && matches(row, filter) && millis(row.lastAt) > edge) stale.add(row.id);
  }
  const lists = new Map(merged.lists).set(keyOf(filter), { next: page.nextPageToken, edge });
  return { ...merged, lists, stale, cursor: merged.cursor || page.asOf };
}

/** Takes the newest timeline page in. What is loaded stays when the page touches it and is dropped when a gap would show, or when somebody joined or left. */
export function mergeHead(cache: Cache, customerId: string, page: GetTimelineResponse): Cache {
  const have = cache.timelines.get(customerId);
  const people = peopleOf(customerId, page);
  let run: Pick<Timeline, 'entries' | 'older'> = { entries: page.entries, older: page.nextPageToken };
  if (have && have.entries.length > 0 && !have.doubtful && sameMembers(have, people)) {
    const oldest = page.entries[0];
    const touches = !oldest || !page.nextPageToken || have.entries.some((entry) => entry.id === oldest.id);
    run = touches
      ? { entries: union(have.entries, page.entries), older: have.older }
      : { entries: union(have.entries.filter((entry) => byPosition(entry, oldest) > 0), page.entries), older: page.nextPageToken };
  }
  return withCustomer(mergeRows(cache, whole(page)), customerId, page, { ...run, ...people, doubtful: false });
}

/** Takes an older page in, before what is loaded. */
export function mergeOlder(cache: Cache, customerId: string, page: GetTimelineResponse): Cache {
  const have = cache.timelines.get(customerId);
  // It was asked for of other members: their newest page comes, and older ones after it.
  if (!have || !sameMembers(have, peopleOf(customerId, page))) return cache;
  const timeline = { ...have, entries: union(page.entries, have.entries), older: page.nextPageToken };
  return withCustomer(mergeRows(cache, whole(page)), customerId, page, timeline);
}

const whole = (page: GetTimelineResponse): Conversation[] => page.conversations.filter((row) => !row.fragment);

function peopleOf(customerId: string, page: GetTimelineResponse): Pick<Timeline, 'members' | 'topics' | 'fragments'> {
  const members = page.members.length > 0 ? page.members : [page.customer ?? create(CustomerSchema, { id: customerId })];
  return { members, topics: page.topics, fragments: page.conversations.filter((row) => row.fragment) };
}

const sameMembers = (a: Pick<Timeline, 'members'>, b: Pick<Timeline, 'members'>): boolean =>
  a.members.length === b.members.length && a.members.every((member, i) => member.id === b.members[i]!.id);

function withCustomer(cache: Cache, customerId: string, page: GetTimelineResponse, timeline: Timeline): Cache {
  const timelines = new Map(cache.timelines).set(customerId, timeline);
  if (!page.customer) return { ...cache, timelines };
  const customers = new Map(cache.customers).set(customerId, page.customer);
  const staleCustomers = new Set(cache.staleCustomers);
  staleCustomers.delete(customerId);
  return { ...cache, timelines, customers, staleCustomers };
}

/** Both, each id once, in stream order; where both know an entry, the second one's word counts. */
function union(first: readonly TimelineEntry[], second: readonly TimelineEntry[]): readonly TimelineEntry[] {
  const all = new Map<string, TimelineEntry>();
  for (const entry of first) all.set(entry.id, entry);
  for (const entry of second) all.set(entry.id, entry);
  return [...all.values()].sort(byPosition);
}
