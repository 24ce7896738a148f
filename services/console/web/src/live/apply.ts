import { Direction, Priority, Status, type Activity, type Conversation, type TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import type { Event } from '../gen/weftline/realtime/v1/frame_pb';
import { insert, isOn, type Cache, type Timeline } from './cache';

/**
 * Folds live events into the cache. Pure. Applying an event twice, or again
 * after a snapshot that already held it, changes nothing in the end, as long as
 * all events after it follow: the socket's cursor guarantees that.
 */
export function applyEvents(cache: Cache, events: readonly Event[]): Cache {
  if (events.length === 0) return cache;
  const draft: Draft = {
    conversations: new Map(cache.conversations),
    timelines: new Map(cache.timelines),
    stale: new Set(cache.stale),
    staleCustomers: new Set(cache.staleCustomers),
  };
  let cursor = cache.cursor;
  for (const event of events) {
    applyRow(draft, event);
    if (event.entry) applyEntry(draft, event.entry);
    for (const id of event.staleCustomerIds) doubt(draft, id);
    if (event.cursor) cursor = event.cursor;
  }
  return { ...cache, ...draft, cursor };
}

/** One event; see applyEvents. */
export const applyEvent = (cache: Cache, event: Event): Cache => applyEvents(cache, [event]);

type Draft = {
  conversations: Map<string, Conversation>;
  timelines: Map<string, Timeline>;
  stale: Set<string>;
  staleCustomers: Set<string>;
};

function applyRow(draft: Draft, event: Event): void {
  const row = event.conversation;
  const have = draft.conversations.get(row?.id ?? event.entry?.conversationId ?? '');
  if (row) {
    if (have && have.version > row.version) return;
    draft.conversations.set(row.id, row);
    draft.stale.delete(row.id);
    return;
  }
  const entry = event.entry;
  if (!entry?.conversationId || entry.body.case === 'delivery') return;
  draft.stale.add(entry.conversationId);
  if (have) draft.conversations.set(have.id, fold(have, entry));
}

/** Verbs after which somebody is somebody else's, or knows something new of him. */
const identityVerbs = /^(attribute$|consent$|handle_|linked|unlinked|suggested|refused|joined|unjoined|asserted|attributed|carried|split|erased|retired|hold_)/;
/** Verbs after which entries may stand on another timeline than before. */
const movingVerbs = /^(linked|unlinked|handle_detached|carried|split|joined|unjoined|erased|retired)/;

/** True when the entry says something new about who is who. */
export const concernsIdentity = (entry: TimelineEntry | undefined): boolean =>
  entry?.body.case === 'activity' && identityVerbs.test(entry.body.value.verb);

function applyEntry(draft: Draft, entry: TimelineEntry): void {
  for (const [key, timeline] of draft.timelines) {
    if (!isOn(timeline, entry.customerId)) continue;
    if (concernsIdentity(entry)) draft.staleCustomers.add(key);
    draft.timelines.set(key, place(timeline, entry));
  }
}

/** A handle changed hands: messages may have left or joined the timelines of the customer. */
function doubt(draft: Draft, customerId: string): void {
  for (const [key, timeline] of draft.timelines) {
    if (!isOn(timeline, customerId)) continue;
    draft.staleCustomers.add(key);
    if (!timeline.doubtful) draft.timelines.set(key, { ...timeline, doubtful: true });
  }
}

/** Both sides of a link or join tell of it, and both may be on the timeline: the hub shows the one with the lesser id, and so does this. */
function toldTwice(timeline: Timeline, { customerId, conversationId, body }: TimelineEntry): boolean {
  if (body.case !== 'activity') return false;
  const { verb, value } = body.value;
  if (/^(joined|unjoined)$/.test(verb)) return value < conversationId;
  return /^(linked|unlinked|suggested|refused)$/.test(verb) && value < customerId && isOn(timeline, value);
}

/** The timeline with an entry of one of its members. */
function place(timeline: Timeline, entry: TimelineEntry): Timeline {
  const body = entry.body;
  if (body.case === 'delivery') {
    const { entryId, state, detail } = body.value;
    const entries = timeline.entries.map((e) =>
      e.id === entryId && e.body.case === 'message'
        ? { ...e, body: { case: 'message' as const, value: { ...e.body.value, delivery: state, deliveryDetail: detail } } }
        : e);
    return { ...timeline, entries };
  }
  // What was done to a message is on it as the hub shows it; the event says to look.
  if (body.case === 'change') return timeline;
  // A handle in its second tenure was somebody's before: what he said with it may come along.
  const moving = body.case === 'activity' && (movingVerbs.test(body.value.verb) || (body.value.verb === 'handle_attached' && (entry.handle?.tenure ?? 0n) > 1n));
  const at = moving && !timeline.doubtful ? { ...timeline, doubtful: true } : timeline;
  // Older than what is loaded: it comes with its page.
  const oldest = at.entries[0];
  if (at.older && oldest && entry.position < oldest.position) return at;
  if (toldTwice(at, entry)) return at;
  const entries = insert(at.entries, entry);
  return entries === at.entries ? at : { ...at, entries };
}

/** The row as far as one entry tells; the hub's own row follows because it is marked stale. */
function fold(row: Conversation, entry: TimelineEntry): Conversation {
  const lastAt = entry.recordedAt ?? row.lastAt;
  switch (entry.body.case) {
    case 'message': {
      const message = entry.body.value;
      const inbound = message.direction === Direction.INBOUND;
      return {
        ...row, lastAt, preview: message.text.slice(0, 160), channel: entry.channel || row.channel, inboxId: entry.inboxId || row.inboxId,
        waitingSince: inbound ? row.waitingSince ?? entry.recordedAt : undefined,
      };
    }
    case 'activity':
      return foldActivity({ ...row, lastAt }, entry.body.value);
    default:
      return row;
  }
}

function foldActivity(row: Conversation, activity: Activity): Conversation {
  switch (activity.verb) {
    case 'opened': case 'reopened': case 'woken': return { ...row, status: Status.OPEN, snoozedUntil: undefined };
    case 'pending': return { ...row, status: Status.PENDING };
    case 'snoozed': return { ...row, status: Status.SNOOZED, snoozedUntil: activity.until };
    case 'closed': return { ...row, status: Status.CLOSED, snoozedUntil: undefined };
    case 'assigned': return { ...row, assignee: activity.value };
    case 'priority': return { ...row, priority: priorities[activity.value.toLowerCase()] ?? row.priority };
    case 'subject': return { ...row, subject: activity.value };
    case 'tagged': return { ...row, tags: row.tags.includes(activity.value) ? row.tags : [...row.tags, activity.value] };
    case 'untagged': return { ...row, tags: row.tags.filter((tag) => tag !== activity.value) };
    default: return row;
  }
}

const priorities: Record<string, Priority> = { low: Priority.LOW, normal: Priority.NORMAL, high: Priority.HIGH, urgent: Priority.URGENT };
