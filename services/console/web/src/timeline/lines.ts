import type { Activity, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { millis } from '../live/cache';
import type { Pending } from '../outbox/outbox';

/** One line of the drawn timeline. */
export type Line =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'divider'; key: string; conversationId: string; topicId: string; channel: string; inboxId: string }
  | { kind: 'channel'; key: string; channel: string; inboxId: string }
  | { kind: 'entry'; key: string; entry: TimelineEntry; follows: boolean }
  | { kind: 'activities'; key: string; entries: readonly TimelineEntry[] }
  | { kind: 'pending'; key: string; item: Pending };

/** Within this time the same speaker's next message needs no new head line, ms. */
const together = 5 * 60_000;

/**
 * Draws the lines of a person's entries: a divider wherever the day, the
 * conversation or within one the channel changes, activities in one line.
 * topicOf names what a conversation is shown as: those with one name are one.
 */
export function linesOf(entries: readonly TimelineEntry[], pending: readonly Pending[], topicOf: (conversationId: string) => string = (id) => id): Line[] {
  const lines: Line[] = [];
  let topic: string | undefined;
  let day = '';
  let channel = '';
  let before: TimelineEntry | undefined;
  const divide = (id: string, by: string, inboxId: string, key: string): void => {
    const to = id && topicOf(id);
    if (to === topic) return;
    topic = to;
    before = undefined;
    channel = '';
    if (id) lines.push({ kind: 'divider', key: 'to ' + key, conversationId: id, topicId: to, channel: by, inboxId });
  };
  for (const entry of entries) {
    const at = millis(entry.recordedAt);
    const date = at > 0 ? new Date(at).toDateString() : day;
    if (date !== day) {
      day = date;
      before = undefined;
      lines.push({ kind: 'day', key: 'day ' + entry.id, at });
    }
    // What happened to the customer, and not to a conversation, divides nothing.
    if (entry.conversationId) divide(entry.conversationId, entry.channel, entry.inboxId, entry.id);
    if (entry.body.case === 'activity') {
      const last = lines[lines.length - 1];
      if (last?.kind === 'activities') lines[lines.length - 1] = { ...last, entries: [...last.entries, entry] };
      else lines.push({ kind: 'activities', key: entry.id, entries: [entry] });
      before = undefined;
      continue;
    }
    if (entry.body.case === 'message') {
      if (channel && entry.channel !== channel) {
        lines.push({ kind: 'channel', key: 'by ' + entry.id, channel: entry.channel, inboxId: entry.inboxId });
        before = undefined;
      }
      channel = entry.channel;
    } else if (entry.body.case !== 'note' && entry.body.case !== 'event' && entry.body.case !== 'change') continue;
    lines.push({ kind: 'entry', key: entry.id, entry, follows: before !== undefined && continues(before, entry) });
    before = entry;
  }
  for (const item of pending) {
    divide(item.conversationId, '', '', item.key);
    lines.push({ kind: 'pending', key: item.key, item });
  }
  return lines;
}

function continues(before: TimelineEntry, entry: TimelineEntry): boolean {
  const gap = Number((entry.recordedAt?.seconds ?? 0n) - (before.recordedAt?.seconds ?? 0n)) * 1000;
  if (gap > together || before.body.case !== 'message' || entry.body.case !== 'message') return false;
  const a = before.body.value;
  const b = entry.body.value;
  return before.channel === entry.channel && entry.channel !== 'email' && before.inboxId === entry.inboxId && before.customerId === entry.customerId
    && a.direction === b.direction && a.author === b.author && a.fromName === b.fromName && a.from === b.from && before.handle?.id === entry.handle?.id && a.assurance === b.assurance
    && b.flags.length === 0;
}

/** A name behind a verb. */
const whom = (name: string): string => (name === 'You' ? 'you' : name);

/** Words for an activity; name turns an agent id into a name. */
export function tell(activity: Activity, name: (id: string) => string, moment: (at: { seconds: bigint; nanos: number }) => string): string {
  const who = name(activity.actor);
  switch (activity.verb) {
    case 'opened': return activity.actor === 'customer' || activity.actor === 'system' ? 'Conversation opened' : `${who} opened the conversation`;
    case 'reopened': return activity.actor === 'customer' ? 'Reopened by the customer’s message' : `${who} reopened it`;
    case 'closed': return `${who} closed it`;
    case 'snoozed': return `${who} snoozed it${activity.until ? ` until ${moment(activity.until)}` : ''}`;
    case 'pending': return `${who} set it to pending`;
    case 'woken': return 'Back from snooze';
    case 'assigned': return activity.value ? (activity.value === activity.actor ? `${who} took it` : `${who} assigned it to ${whom(name(activity.value))}`) : `${who} unassigned it`;
    case 'priority': return `${who} set the priority to ${activity.value}`;
    case 'tagged': return `${who} added the tag ${activity.value}`;
    case 'untagged': return `${who} removed the tag ${activity.value}`;
    case 'consent': return `${activity.actor === 'customer' ? 'The customer' : `${who} noted that the customer`} ${activity.value === 'out' ? 'opted out: nothing more is sent to this address' : 'opted in again'}`;
    case 'attribute': return `${who} changed ${activity.value}`;
    case 'handle_attached': return `Address added${activity.value ? `: ${activity.value}` : ''}`;
    case 'handle_detached': return `Address removed${activity.value ? `: ${activity.value}` : ''}`;
    case 'linked': return activity.rule && activity.rule !== 'agent' ? 'Linked with another customer by a rule' : `${who} merged this customer with another`;
    case 'unlinked': return activity.rule.startsWith('guard:') ? 'A link was taken back: too much for one person' : `${who} took a merge apart`;
    case 'suggested': return 'May be the same person as somebody else';
    case 'refused': return `${who} said that it is not the same person`;
    case 'joined': return `${who} showed this together with another conversation`;
    case 'unjoined': return `${who} showed this apart again`;
    case 'carried': return 'Goes on here: the address came to this customer';
    case 'split': return `${who} made some of the messages a conversation of their own`;
    case 'attributed': return activity.value ? `${who} said who spoke` : `${who} took back who spoke`;
    case 'asserted': return `The customer says that an address is his${activity.value ? ` (${activity.value})` : ''}`;
    case 'erased': return 'A customer was erased';
    case 'retired': return 'Old messages were destroyed, as the retention policy says';
    case 'hold_placed': return `${who} placed a legal hold`;
    case 'hold_lifted': return `${who} lifted a legal hold`;
    case 'reread': return 'A message was read anew from its original';
    case 'subject': return `Subject changed to “${activity.value}”`;
    default: return `${who}: ${activity.verb} ${activity.value}`.trim();
  }
}
