import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { GetTimelineResponseSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { CustomerSchema, HandleSchema, type TimelineEntry } from '../src/gen/weftline/inbox/v1/types_pb';
import { applyEvent, applyEvents, concernsIdentity } from '../src/live/apply';
import { emptyCache, type Cache } from '../src/live/cache';
import { mergeHead, mergeOlder } from '../src/live/snapshot';
import { conversation, delivered, entry, event, reply } from './fixture';
import { DeliveryState } from '../src/gen/weftline/inbox/v1/types_pb';

const people = (...ids: string[]) => ids.map((id) => create(CustomerSchema, { id, name: id }));
const page = (entries: TimelineEntry[], members: string[], nextPageToken = '') =>
  create(GetTimelineResponseSchema, { entries, members: people(...members), customer: people(members[0]!)[0]!, nextPageToken });
const ids = (cache: Cache, key = 'c1'): string[] => cache.timelines.get(key)!.entries.map((one) => one.id);
const verb = (n: number, what: string, customer = 1): TimelineEntry => entry(n, { case: 'activity', value: { verb: what } }, customer);

describe('timelines of persons', () => {
  it('take in what any member says, in time’s order', () => {
    const cache = mergeHead(emptyCache, 'c1', page([entry(1), entry(5, undefined, 2)], ['c1', 'c2']));
    const after = applyEvents(cache, [event(1, entry(7, undefined, 2)), event(2, entry(6))]);
    expect(ids(after)).toEqual(['c1e1', 'c2e5', 'c1e6', 'c2e7']);
    expect(ids(applyEvent(after, event(3, entry(8, undefined, 3))))).toEqual(ids(after));
  });

  it('move every timeline an entry is on', () => {
    let cache = mergeHead(emptyCache, 'c1', page([reply(1)], ['c1', 'c2']));
    cache = mergeHead(cache, 'c2', page([reply(1)], ['c1', 'c2']));
    const after = applyEvent(cache, event(1, delivered(2, 'c1e1', DeliveryState.READ)));
    for (const key of ['c1', 'c2']) expect(after.timelines.get(key)!.entries[0]!.body.value).toMatchObject({ delivery: DeliveryState.READ });
  });

  it('are replaced when somebody joins or leaves', () => {
    let cache = mergeHead(emptyCache, 'c1', page([entry(1), entry(2, undefined, 2)], ['c1', 'c2']));
    cache = mergeHead(cache, 'c1', page([entry(1)], ['c1']));
    expect(ids(cache)).toEqual(['c1e1']);
    cache = mergeHead(cache, 'c1', page([entry(1), entry(2, undefined, 2)], ['c1', 'c2']));
    expect(ids(cache)).toEqual(['c1e1', 'c2e2']);
  });

  it('are replaced after a move, although nobody joined or left', () => {
    let cache = mergeHead(emptyCache, 'c1', page([entry(1), entry(2)], ['c1']));
    cache = applyEvent(cache, event(1, verb(3, 'handle_detached')));
    expect(cache.staleCustomers.has('c1')).toBe(true);
    cache = mergeHead(cache, 'c1', page([entry(1), verb(3, 'handle_detached')], ['c1']));
    expect(ids(cache)).toEqual(['c1e1', 'c1e3']);
    expect(cache.timelines.get('c1')!.doubtful).toBe(false);
  });

  it('are not replaced for an address that is new, but for one that was somebody’s', () => {
    const cache = mergeHead(emptyCache, 'c1', page([entry(1)], ['c1']));
    const attached = (tenure: bigint) => ({ ...verb(2, 'handle_attached'), handle: create(HandleSchema, { id: 'h', tenure }) });
    expect(applyEvent(cache, event(1, attached(1n))).timelines.get('c1')!.doubtful).toBe(false);
    expect(applyEvent(cache, event(1, attached(2n))).timelines.get('c1')!.doubtful).toBe(true);
  });

  it('are replaced when the hub names them after a move', () => {
    const cache = mergeHead(emptyCache, 'c1', page([entry(1)], ['c1', 'c2']));
    const after = applyEvent(cache, { ...event(1, entry(2, undefined, 9)), staleCustomerIds: ['c2'] });
    expect(after.timelines.get('c1')!.doubtful).toBe(true);
    expect(after.staleCustomers.has('c1')).toBe(true);
  });

  it('tell of a link once, however many of its sides are on them', () => {
    const cache = mergeHead(emptyCache, 'c1', page([entry(1)], ['c1', 'c2']));
    const linked = (customer: number, other: string) => entry(2, { case: 'activity', value: { verb: 'linked', value: other } }, customer);
    expect(ids(applyEvents(cache, [event(1, linked(1, 'c2')), event(2, linked(2, 'c1'))]))).toEqual(['c1e1', 'c1e2']);
    expect(ids(applyEvent(cache, event(1, linked(2, 'c0'))))).toEqual(['c1e1', 'c2e2']);
  });

  it('take no older page that was asked for of other members', () => {
    let cache = mergeHead(emptyCache, 'c1', page([entry(5)], ['c1'], 'older'));
    cache = mergeOlder(cache, 'c1', page([entry(2, undefined, 2)], ['c1', 'c2']));
    expect(ids(cache)).toEqual(['c1e5']);
  });

  it('keep parts of others’ conversations apart from their rows', () => {
    const kept = conversation(9, { customerId: 'c9', subject: 'theirs' });
    const cache = { ...emptyCache, conversations: new Map([['v9', kept]]) };
    const after = mergeHead(cache, 'c1', { ...page([entry(1)], ['c1']), conversations: [conversation(1), conversation(9, { customerId: 'c1', fragment: true, version: 5n })] });
    expect(after.conversations.get('v9')).toBe(kept);
    expect(after.timelines.get('c1')!.fragments.map((one) => one.id)).toEqual(['v9']);
  });

  it('know what concerns who is who', () => {
    for (const what of ['linked', 'unlinked', 'suggested', 'erased', 'handle_detached', 'hold_placed', 'attribute']) expect(concernsIdentity(verb(1, what)), what).toBe(true);
    for (const one of [verb(1, 'closed'), verb(1, 'assigned'), entry(1)]) expect(concernsIdentity(one)).toBe(false);
  });
});
