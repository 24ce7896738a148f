import type { Topic } from '../gen/weftline/inbox/v1/inbox_pb';
import type { Conversation, Customer, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';

/** What is loaded of a person's timeline, by the customer it was asked for with: a run without gaps that ends at the newest entry. */
export type Timeline = {
  /** In stream order, oldest first, each id once. */
  readonly entries: readonly TimelineEntry[];
  /** Token of the next older page; empty when the beginning is loaded. */
  readonly older: string;
  /** Every customer whose entries are here, oldest first. */
  readonly members: readonly Customer[];
  /** Conversations shown as one, those of more than one part. */
  readonly topics: readonly Topic[];
  /** Parts of conversations that are kept with another person: the row of the same id is his. */
  readonly fragments: readonly Conversation[];
  /** Something happened that may have put entries elsewhere: the next answer replaces them. */
  readonly doubtful: boolean;
};

/** True when the customer's entries belong on the timeline. */
export const isOn = (timeline: Pick<Timeline, 'members'>, customerId: string): boolean => timeline.members.some((member) => member.id === customerId);

/** How far a queue has been paged. */
export type List = {
  readonly next: string;
  /** Milliseconds of the last row of the last page: rows before it are not known to be complete. */
  readonly edge: number;
};

/** Everything the console knows of the inbox. Never changed in place. */
export type Cache = {
  readonly conversations: ReadonlyMap<string, Conversation>;
  readonly customers: ReadonlyMap<string, Customer>;
  readonly timelines: ReadonlyMap<string, Timeline>;
  readonly lists: ReadonlyMap<string, List>;
  /** Resume after this; opaque. */
  readonly cursor: string;
  /** Conversations and customers to ask for again: an event told of them less than a row holds. */
  readonly stale: ReadonlySet<string>;
  readonly staleCustomers: ReadonlySet<string>;
};

export const emptyCache: Cache = {
  conversations: new Map(),
  customers: new Map(),
  timelines: new Map(),
  lists: new Map(),
  cursor: '',
  stale: new Set(),
  staleCustomers: new Set(),
};

/** Order of a person's entries: by time, within a customer in his stream's order. */
export const byPosition = (a: TimelineEntry, b: TimelineEntry): number =>
  a.position < b.position ? -1 : a.position > b.position ? 1 : a.customerId < b.customerId ? -1 : a.customerId > b.customerId ? 1 : 0;

/** Milliseconds of a protobuf timestamp; 0 when unset. */
export const millis = (at?: { seconds: bigint; nanos: number }): number =>
  at ? Number(at.seconds) * 1000 + at.nanos / 1e6 : 0;

/** Adds an entry at its place. An id that is there already stays as it is: it may hold a newer delivery state. */
export function insert(entries: readonly TimelineEntry[], entry: TimelineEntry): readonly TimelineEntry[] {
  let at = entries.length;
  while (at > 0 && byPosition(entries[at - 1]!, entry) > 0) at--;
  for (let i = at - 1; i >= 0 && byPosition(entries[i]!, entry) === 0; i--) if (entries[i]!.id === entry.id) return entries;
  if (entries.some((e) => e.id === entry.id)) return entries;
  return [...entries.slice(0, at), entry, ...entries.slice(at)];
}
