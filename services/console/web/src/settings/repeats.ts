import type { Repeat, RepeatDay, Repeats } from '../gen/weftline/identity/v1/types_pb';
import { times } from '../ui/locale';

/** The reasons that are counted, in words. */
export const reasons = [
  { kind: 'new_conversation', field: 'newConversation', label: 'New conversation', plain: 'The customer began a new conversation about the same thing within seven days.' },
  { kind: 'new_channel', field: 'newChannel', label: 'Another channel', plain: 'The customer wrote on over another channel before we had answered.' },
  { kind: 'new_agent', field: 'newAgent', label: 'Another agent', plain: 'The customer wrote, and another agent answered than the one before.' },
] as const;

export type Reason = (typeof reasons)[number];

/** What one repeat was, in a sentence that follows the customer's name. */
export const told = (repeat: Pick<Repeat, 'kind' | 'joined'>): string =>
  repeat.kind === 'new_conversation'
    ? repeat.joined ? 'began a new conversation that an agent joined with an earlier one' : 'began a new conversation about the same thing'
    : repeat.kind === 'new_channel' ? 'wrote on over another channel before we answered'
    : repeat.kind === 'new_agent' ? 'was answered by another agent than before'
    : 'had to explain it again';

type Figures = Record<Reason['field'] | 'total' | 'conversations', number>;

const none = (): Figures => ({ total: 0, newConversation: 0, newChannel: 0, newAgent: 0, conversations: 0 });

export type Week = Figures & { /** Monday, as 2026-11-23. */ monday: string; /** Days of it that are counted, 1 to 7. */ days: number };

/** Monday of the week of a UTC day. */
export function mondayOf(day: string): string {
  const at = new Date(day + 'T00:00:00Z');
  at.setUTCDate(at.getUTCDate() - ((at.getUTCDay() + 6) % 7));
  return at.toISOString().slice(0, 10);
}

/** Days summed up to weeks that begin on Monday, the newest first. */
export function weeksOf(days: readonly RepeatDay[]): Week[] {
  const weeks = new Map<string, Week>();
  for (const { day, repeats } of days) {
    const monday = mondayOf(day);
    const week = weeks.get(monday) ?? { monday, days: 0, ...none() };
    weeks.set(monday, week);
    week.days++;
    if (!repeats) continue;
    for (const field of ['total', 'newConversation', 'newChannel', 'newAgent', 'conversations'] as const) week[field] += Number(repeats[field]);
  }
  return [...weeks.values()].sort((a, b) => (a.monday < b.monday ? 1 : -1));
}

/** "12 for every 100 conversations", empty when there was none. */
export function rate(repeats: Pick<Repeats, 'total' | 'conversations'> | { total: number; conversations: number }): string {
  const all = Number(repeats.conversations);
  if (all === 0) return '';
  const hundredth = (Number(repeats.total) * 100) / all;
  return hundredth > 0 && hundredth < 1 ? 'fewer than 1' : String(Math.round(hundredth));
}

/** "23–29 Nov" for a week's Monday. */
export function weekWord(monday: string): string {
  const from = new Date(monday + 'T00:00:00Z');
  const to = new Date(from.getTime() + 6 * 86_400_000);
  return times({ day: 'numeric', month: 'short', timeZone: 'UTC', ...(from.getUTCFullYear() === new Date().getUTCFullYear() ? {} : { year: 'numeric' }) }).formatRange(from, to);
}
