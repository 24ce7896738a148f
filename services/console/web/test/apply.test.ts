import { describe, expect, it } from 'vitest';
import { create } from '@bufbuild/protobuf';
import { CustomerSchema, DeliveryState, Priority, Status } from '../src/gen/weftline/inbox/v1/types_pb';
import { applyEvent, applyEvents } from '../src/live/apply';
import { emptyCache, type Cache } from '../src/live/cache';
import { conversation, delivered, entry, event, reply } from './fixture';

const loaded = (entries = [entry(1)], older = ''): Cache => ({
  ...emptyCache,
  conversations: new Map([['v1', conversation(1)]]),
  timelines: new Map([['c1', { entries, older, members: [create(CustomerSchema, { id: 'c1' })], topics: [], fragments: [], doubtful: false }]]),
  cursor: 'k0',
});
const ids = (cache: Cache): string[] => cache.timelines.get('c1')!.entries.map((e) => e.id);
const deliveryOf = (cache: Cache, id: string): DeliveryState | undefined => {
  const found = cache.timelines.get('c1')!.entries.find((e) => e.id === id);
  return found?.body.case === 'message' ? found.body.value.delivery : undefined;
};

/** A history with everything in it: messages, replies, deliveries and changes of state. */
const history = [
  event(1, entry(2), conversation(1, { version: 2n })),
  event(2, reply(3), conversation(1, { version: 3n })),
  event(3, delivered(4, 'c1e3', DeliveryState.SENT)),
  event(4, entry(5, { case: 'activity', value: { verb: 'closed', actor: 'a1' } }), conversation(1, { version: 3n, status: Status.CLOSED })),
  event(5, delivered(6, 'c1e3', DeliveryState.DELIVERED)),
  event(6, entry(7), conversation(1, { version: 4n, status: Status.OPEN })),
];

describe('applyEvent', () => {
  it('is one fold, however the events are batched', () => {
    const whole = applyEvents(loaded(), history);
    const single = history.reduce(applyEvent, loaded());
    const halves = applyEvents(applyEvents(loaded(), history.slice(0, 3)), history.slice(3));
    expect(single).toEqual(whole);
    expect(halves).toEqual(whole);
    expect(ids(whole)).toEqual(['c1e1', 'c1e2', 'c1e3', 'c1e5', 'c1e7']);
    expect(whole.cursor).toBe('k6');
  });

  it('changes nothing when any suffix is applied again', () => {
    const whole = applyEvents(loaded(), history);
    for (let from = 0; from <= history.length; from++) {
      const again = applyEvents(whole, history.slice(from));
      expect(again.timelines).toEqual(whole.timelines);
      expect(again.conversations).toEqual(whole.conversations);
      expect(again.cursor).toBe(whole.cursor);
    }
  });

  it('keeps stream order when an entry comes late', () => {
    const cache = applyEvents(loaded([entry(1), entry(9)]), [event(1, entry(5)), event(2, entry(12)), event(3, entry(4))]);
    expect(ids(cache)).toEqual(['c1e1', 'c1e4', 'c1e5', 'c1e9', 'c1e12']);
  });

  it('leaves no gap: what is older than the loaded run comes with its page', () => {
    const cache = applyEvent(loaded([entry(10)], 'older'), event(1, entry(5)));
    expect(ids(cache)).toEqual(['c1e10']);
  });

  it('moves delivery on without a line of its own', () => {
    const cache = applyEvents(loaded([entry(1), reply(3)]), [event(1, delivered(4, 'c1e3', DeliveryState.FAILED))]);
    expect(ids(cache)).toEqual(['c1e1', 'c1e3']);
    expect(deliveryOf(cache, 'c1e3')).toBe(DeliveryState.FAILED);
  });

  it('asks for a conversation it does not know', () => {
    const cache = applyEvent(emptyCache, event(1, entry(1)));
    expect([...cache.stale]).toEqual(['v1']);
    expect(applyEvent(cache, event(2, entry(2), conversation(1))).stale.size).toBe(0);
  });

  it('never takes an older row for a newer one', () => {
    const cache: Cache = { ...loaded(), conversations: new Map([['v1', conversation(1, { version: 9n, subject: 'new' })]]) };
    expect(applyEvent(cache, event(1, entry(2), conversation(1, { version: 4n, subject: 'old' }))).conversations.get('v1')?.subject).toBe('new');
  });

  it('folds what an event tells when it carries no row, and asks for the rest', () => {
    const verb = (n: number, name: string, value = ''): ReturnType<typeof event> => event(n, entry(n, { case: 'activity', value: { verb: name, actor: 'a1', value } }));
    const cache = applyEvents(loaded(), [verb(2, 'assigned', 'a2'), verb(3, 'tagged', 'vip'), verb(4, 'priority', 'urgent'), verb(5, 'closed')]);
    expect(cache.conversations.get('v1')).toMatchObject({ assignee: 'a2', tags: ['vip'], priority: Priority.URGENT, status: Status.CLOSED });
    expect(cache.stale.has('v1')).toBe(true);
  });

  it('does not touch the cache it was given', () => {
    const before = loaded();
    const copy = structuredClone({ e: before.timelines.get('c1')!.entries.length, s: before.stale.size, c: before.cursor });
    applyEvents(before, history);
    expect({ e: before.timelines.get('c1')!.entries.length, s: before.stale.size, c: before.cursor }).toEqual(copy);
  });
});

describe('a change to a message', () => {
  it('makes no line of its own live, and has its timelines fetched anew', () => {
    const changed = { ...event(1, entry(5, { case: 'change', value: { action: 'edited', targetRef: 'r1' } })), staleCustomerIds: ['c1'] };
    const cache = applyEvent(loaded(), changed);
    expect(ids(cache)).toEqual(['c1e1']);
    expect(cache.timelines.get('c1')!.doubtful).toBe(true);
    expect(cache.staleCustomers.has('c1')).toBe(true);
  });
});
