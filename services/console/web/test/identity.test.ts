import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { joinsOf } from '../src/conversation/joins';
import { LinkSchema, PersonSchema, Qualifier, RepeatsSchema } from '../src/gen/weftline/identity/v1/types_pb';
import { TopicSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { ConversationSchema, CustomerSchema, Direction, Status, type TimelineEntry } from '../src/gen/weftline/inbox/v1/types_pb';
import { fits, kindsOf } from '../src/person/fits';
import { conflictsOf, memberName, personOf } from '../src/person/members';
import { erasureSteps, madeBy, qualifiers, repeated, repeatParts, stepOf, stepWord, undoneBy, whyHis } from '../src/person/words';
import { dayWord } from '../src/timeline/DayLine';
import { assurances, flagWords } from '../src/timeline/delivery';
import { pretty } from '../src/timeline/EventCard';
import { linesOf } from '../src/timeline/lines';
import { answerable, topicOf } from '../src/timeline/topics';
import { isWhole, kindsAsked, parseLocal, shows, toggled, toLocal, wholeView } from '../src/timeline/view';
import { conversation, entry, t0 } from './fixture';

const day = 86_400_000;
const at = (n: number, ms: number, more: Partial<TimelineEntry> = {}): TimelineEntry => ({ ...entry(n), recordedAt: timestampFromMs(ms), ...more });
const kinds = (...args: Parameters<typeof linesOf>): string[] => linesOf(...args).map((line) => line.kind);

describe('dividers of a person’s timeline', () => {
  it('stand where the day changes, once', () => {
    expect(kinds([at(1, t0), at(2, t0 + 1000), at(3, t0 + day), at(4, t0 + day + 1000)], [])).toEqual(['day', 'divider', 'entry', 'entry', 'day', 'entry', 'entry']);
  });

  it('stand where a conversation goes on over another channel, and name it', () => {
    const lines = linesOf([at(1, t0), at(2, t0 + 1000, { channel: 'chat', inboxId: 'shop' }), at(3, t0 + 2000, { channel: 'chat', inboxId: 'shop' })], []);
    expect(lines.map((line) => line.kind)).toEqual(['day', 'divider', 'entry', 'channel', 'entry', 'entry']);
    expect(lines[3]).toMatchObject({ channel: 'chat', inboxId: 'shop' });
  });

  it('say nothing of the channel where another conversation begins anyway', () => {
    expect(kinds([at(1, t0), at(2, t0 + 1000, { channel: 'chat', conversationId: 'v2' })], [])).toEqual(['day', 'divider', 'entry', 'divider', 'entry']);
  });

  it('do not part conversations that are shown as one', () => {
    const entries = [at(1, t0), at(2, t0 + 1000, { conversationId: 'v2', customerId: 'c2' }), at(3, t0 + 2000)];
    expect(kinds(entries, []).filter((kind) => kind === 'divider')).toHaveLength(3);
    const source = { topics: [create(TopicSchema, { id: 't', conversationIds: ['v1', 'v2'] })] };
    expect(kinds(entries, [], topicOf(source)).filter((kind) => kind === 'divider')).toHaveLength(1);
  });

  it('draw business events, and begin a new head where the assurance or the customer differs', () => {
    const say = (n: number, more: Partial<TimelineEntry> = {}, assurance = 0): TimelineEntry =>
      ({ ...at(n, t0 + n * 1000, { channel: 'chat', ...more }), body: { case: 'message', value: { ...entry(1).body.value as object, direction: Direction.INBOUND, assurance } } }) as TimelineEntry;
    const follows = (entries: TimelineEntry[]): boolean[] => linesOf(entries, [], () => 't').flatMap((line) => (line.kind === 'entry' ? [line.follows] : []));
    expect(follows([say(1), say(2), say(3, {}, 4), say(4, { customerId: 'c2' }, 4)])).toEqual([false, true, false, false]);
    const order = { ...entry(5, { case: 'event', value: { type: 'order.placed', title: 'Order' } }), conversationId: '' };
    expect(kinds([order], [])).toEqual(['day', 'entry']);
  });

  it('use words for the days', () => {
    const today = new Date(2026, 10, 27, 15).getTime();
    expect(dayWord(new Date(2026, 10, 27, 1).getTime(), today)).toBe('Today');
    expect(dayWord(new Date(2026, 10, 26, 23).getTime(), today)).toBe('Yesterday');
    expect(dayWord(new Date(2025, 10, 26, 23).getTime(), today)).toMatch(/2025/);
  });
});

describe('what of a timeline is shown', () => {
  const message = entry(1);
  const note = entry(2, { case: 'note', value: { text: 'n' } });
  it('is everything until something is chosen', () => {
    expect(isWhole(wholeView)).toBe(true);
    expect([message, note].every((one) => shows(wholeView, one))).toBe(true);
    expect(isWhole({ ...wholeView, asOf: timestampFromMs(t0) })).toBe(false);
    expect(isWhole({ ...wholeView, around: timestampFromMs(t0) })).toBe(false);
  });
  it('fits kinds and channels as the hub does', () => {
    expect(shows({ kinds: ['note'], channels: [] }, note)).toBe(true);
    expect(shows({ kinds: ['note'], channels: [] }, message)).toBe(false);
    expect(shows({ kinds: [], channels: ['chat'] }, message)).toBe(false);
    expect(shows({ kinds: ['message'], channels: ['email'] }, message)).toBe(true);
    expect(kindsAsked({ kinds: ['message', 'event'], channels: [] })).toEqual(['message', 'reply', 'event']);
    expect(toggled(toggled([], 'a'), 'b')).toEqual(['a', 'b']);
    expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
  });
  it('reads times of the agent’s clock, a date as the end of its day', () => {
    expect(parseLocal('2026-11-27T14:02')).toBe(new Date(2026, 10, 27, 14, 2).getTime());
    expect(parseLocal('2026-11-27')).toBe(new Date(2026, 10, 27, 23, 59, 59, 999).getTime());
    expect(parseLocal('')).toBeUndefined();
    expect(parseLocal('soon')).toBeUndefined();
    const now = new Date(2026, 10, 27, 14, 2).getTime();
    expect(parseLocal(toLocal(now))).toBe(now);
  });
});

describe('an answer to conversations shown as one', () => {
  const v = (n: number, status: Status) => conversation(n, { status });
  const open = (row: { status: Status }): boolean => row.status === Status.OPEN;
  const topics = [create(TopicSchema, { id: 't', conversationIds: ['v3', 'v2', 'v1'] })];
  it('goes to the first that is open, never to a part that somebody else keeps', () => {
    const rows = new Map([v(1, Status.OPEN), v(2, Status.OPEN), v(3, Status.CLOSED)].map((row) => [row.id, row]));
    expect(answerable(rows.get('v3')!, { topics, fragments: [] }, (id) => rows.get(id), open).id).toBe('v2');
    expect(answerable(rows.get('v3')!, { topics, fragments: [create(ConversationSchema, { id: 'v2', fragment: true })] }, (id) => rows.get(id), open).id).toBe('v1');
  });
  it('goes to itself when it is alone or none is open', () => {
    const rows = new Map([v(1, Status.CLOSED), v(3, Status.CLOSED)].map((row) => [row.id, row]));
    expect(answerable(rows.get('v1')!, { topics, fragments: [] }, (id) => rows.get(id), open).id).toBe('v1');
    expect(answerable(v(9, Status.CLOSED), { topics, fragments: [] }, () => v(2, Status.OPEN), open).id).toBe('v9');
  });
  it('knows the joins that stand', () => {
    const activity = (n: number, verb: string, ref: string) => entry(n, { case: 'activity', value: { verb, value: 'v2', ref } });
    expect(joinsOf([activity(1, 'joined', 'j1'), activity(2, 'unjoined', 'j1'), activity(3, 'joined', 'j2')])).toEqual([{ a: 'v1', b: 'v2', joinId: 'j2' }]);
  });
});

describe('members of a person', () => {
  const customer = (id: string, attributes: Record<string, string>, more = {}) => create(CustomerSchema, { id, name: 'Ada ' + id, attributes, ...more });
  it('are known from a timeline when the hub cannot say more', () => {
    const person = personOf([customer('c1', {}, { erased: true }), customer('c2', { plan: 'gold' })], customer('c2', { plan: 'gold' }, { personId: 'c2' }));
    expect(person).toMatchObject({ id: 'c2', name: 'Ada c2', attributes: { plan: 'gold' } });
    expect(person.members.map((member) => member.erased)).toEqual([true, false]);
    expect(memberName(person.members[0]!.customer)).toBe('Erased customer');
  });
  it('have conflicts where their values differ from the one that is shown', () => {
    const person = create(PersonSchema, { attributes: { plan: 'gold', city: 'Lagos' }, members: [{ customer: customer('c1', { plan: 'silver', city: 'Lagos' }) }, { customer: customer('c2', { plan: 'gold' }) }, { customer: customer('c3', { plan: 'tin' }), erased: true }] });
    expect([...conflictsOf(person).values()]).toEqual([{ name: 'plan', shown: 'gold', others: [{ value: 'silver', customerId: 'c1' }] }]);
  });
  it('are found by name and address', () => {
    const ada = customer('c1', {}, { name: 'Ada Obi', handles: [{ id: 'h', kind: 'email', address: 'ada@x.test' }] });
    expect([fits(ada, 'obi ada'), fits(ada, 'ADA@x'), fits(ada, 'lina')]).toEqual([true, true, false]);
    expect([kindsOf('ada@x.test'), kindsOf('+44 20 7946 0000'), kindsOf('Ada')]).toEqual([['email'], ['sms', 'phone'], []]);
  });
});

describe('words of who is who', () => {
  const name = (id: string): string => (id === 'a1' ? 'Olu' : id);
  it('has one for every level, qualifier and flag', () => {
    expect(assurances.map((one) => one.label)).toEqual(['Claimed', 'Observed', 'Attested', 'Proven', 'Signed in']);
    expect([Qualifier.SHARED, Qualifier.ROLE, Qualifier.BLOCKED].map((one) => qualifiers[one].label)).toEqual(['Shared', 'Office', 'Blocked']);
    for (const flag of ['auto_reply', 'bounce', 'list', 'third_party', 'unparsed', 'late', 'unverified', 'automatic', 'imported', 'masked', 'erased', 'name_is_address', 'sender_differs', 'mixed_script', 'to_refuted']) {
      expect(flagWords[flag]?.label, flag).toBeTruthy();
      expect(flagWords[flag]?.plain, flag).toMatch(/\.$/);
    }
  });
  it('says who made a link and who took it back', () => {
    expect(madeBy(create(LinkSchema, { rule: 'agent', actor: 'a1' }), name)).toBe('Merged by Olu');
    expect(madeBy(create(LinkSchema, { rule: 'weak_proof@2', actor: 'policy' }), name)).toBe('Linked by the rule weak proof');
    expect(undoneBy(create(LinkSchema, { undoneBy: 'a1', undoneReason: 'agent' }), name)).toBe('Taken apart by Olu');
    expect(undoneBy(create(LinkSchema, { undoneBy: 'policy', undoneReason: 'guard:members' }), name)).toMatch(/too many members/);
    expect(whyHis({ evidence: 'code' })).toMatch(/one-time code/);
    expect(whyHis({ evidence: 'tarot' })).toBe('By tarot.');
  });
  it('counts what was explained again', () => {
    expect([0n, 1n, 2n, 3n].map((total) => repeated({ total }))).toEqual(['', 'Explained again once', 'Explained again twice', 'Explained again 3 times']);
    expect(repeatParts(create(RepeatsSchema, { newConversation: 1n, newAgent: 2n }))).toEqual(['1 new conversation about the same thing', '2 times to another agent than before']);
  });
  it('knows how far an erasure is', () => {
    expect(erasureSteps.map(([state]) => stepOf(state))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect([stepOf('elsewhere'), stepWord('elsewhere'), stepWord('shredded')]).toEqual([0, 'elsewhere', 'Keys destroyed']);
  });
  it('shows JSON to people and leaves other text', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('{"a"')).toBe('{"a"');
  });
});
