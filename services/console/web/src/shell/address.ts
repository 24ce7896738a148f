import { parseSearchWith } from '@tanstack/react-router';
import { statusWords, type Scope } from '../queue/filter';

/** What an address says behind its question mark, before anybody has looked at it: whoever wrote the link chose the types. */
type Raw = Record<string, unknown>;

/** What the URL says about the queue. */
export type QueueSearch = { scope?: Scope; status?: string; inbox?: string };

/** The words a value was written as: ?q=1042 and ?q=null are words, too. Nothing for a list or a thing. */
function words(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : '';
}

export function readQueueSearch(raw: Raw): QueueSearch {
  const out: QueueSearch = {};
  if (raw.scope === 'mine' || raw.scope === 'unassigned' || raw.scope === 'all') out.scope = raw.scope;
  if (typeof raw.status === 'string' && Object.hasOwn(statusWords, raw.status)) out.status = raw.status;
  const inbox = words(raw.inbox);
  if (inbox) out.inbox = inbox;
  return out;
}

/** What is searched for. */
export function readWords(raw: Raw): { q?: string } {
  const q = words(raw.q);
  return q ? { q } : {};
}

/** The last moment that a timestamp can name, ms. */
const lastMoment = 253_402_300_799_999;

/** Where in time a conversation opens, ms. */
export function readMoment({ at }: Raw): { at?: number } {
  return typeof at === 'number' && Number.isSafeInteger(at) && at > 0 && at <= lastMoment ? { at } : {};
}

/** Reads an address as the router does, but no number that is not written the same again: an order's has more digits than a number holds. */
export const parseAddress = parseSearchWith((text) => {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'number' && String(value) !== text) throw new SyntaxError(`${text} would not come back as it was`);
  return value;
});
