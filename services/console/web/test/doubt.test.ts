import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { senderRefuted } from '../src/api/error';
import { inbox } from '../src/api/client';
import { ConversationChangedSchema, SenderRefutedSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { useOutbox, type Pending } from '../src/outbox/outbox';
import { again, submit } from '../src/outbox/sender';
import { inWords } from '../src/timeline/evidence';
import { entry } from './fixture';

// The client wants to know where its page is.
vi.hoisted(() => { Object.assign(globalThis, { location: { origin: 'http://desk.test' } }); });

const refused = (type: string, value: Uint8Array): ConnectError => {
  const error = new ConnectError('held back', Code.FailedPrecondition);
  error.details = [{ type, value }];
  return error;
};
const refuted = refused('weftline.inbox.v1.SenderRefuted', toBinary(SenderRefutedSchema, create(SenderRefutedSchema, { answers: 'm1', evidence: 'dmarc=fail', handle: { kind: 'email', address: 'ada@x.org' } })));
const changed = refused('weftline.inbox.v1.ConversationChanged', toBinary(ConversationChangedSchema, create(ConversationChangedSchema, { version: 5n, newer: [entry(4)] })));

const reply: Pending = {
  key: 'k', kind: 'reply', conversationId: 'v1', customerId: 'c1', author: 'a1', text: 'hi', html: '', source: 'hi', attachments: [],
  answers: 'm1', lastSeen: 1n, force: false, close: false, state: 'queued', reason: '', newer: [], newerVersion: 0n, createdAt: 0,
};

describe('a reply to a refuted sender', () => {
  beforeEach(() => useOutbox.setState({ items: [] }));
  afterEach(() => vi.restoreAllMocks());
  const now = (): Pending | undefined => useOutbox.getState().items[0];

  it('is held back with the reason, and sent with its own override only', async () => {
    const send = vi.spyOn(inbox, 'sendReply').mockRejectedValueOnce(changed).mockRejectedValueOnce(refuted).mockResolvedValueOnce({ entry: undefined } as never);
    submit(reply);
    await vi.waitFor(() => expect(now()?.state).toBe('refused'));
    again('k');
    await vi.waitFor(() => expect(now()?.state).toBe('refuted'));
    expect(now()?.doubt).toEqual({ address: 'ada@x.org', kind: 'email', evidence: 'dmarc=fail' });
    again('k');
    await vi.waitFor(() => expect(now()).toBeUndefined());
    expect(send.mock.calls.map(([q]) => [q.force, q.toRefuted, q.idempotencyKey])).toEqual([[false, false, 'k'], [true, false, 'k'], [true, true, 'k']]);
  });

  it('is told from other refusals', () => {
    expect(senderRefuted(refuted)?.handle?.address).toBe('ada@x.org');
    expect(senderRefuted(changed)).toBeUndefined();
    expect(senderRefuted(new TypeError('Failed to fetch'))).toBeUndefined();
  });
});

describe('evidence', () => {
  it('is put into words', () => {
    expect(inWords('dmarc=fail')).toMatch(/^Weftline checked it: the sender’s domain disowns/);
    expect(inWords('dmarc=fail by our mail server')).toMatch(/^Our mail server checked it: .*disowns/);
    expect(inWords('dmarc=pass dkim=x.org, reply token returned by the address it was sent to')).toMatch(/vouches.*answers a mail of ours/);
    expect(inWords('dmarc=odd')).toMatch(/“odd”/);
    for (const why of ['From is ambiguous', 'From has no domain', 'the header can be read in several ways', 'no Authentication-Results of our mail server', 'our mail server gives no DMARC result', 'results of our mail server do not agree', 'it took too long']) {
      expect(inWords(`not verified: ${why}`), why).not.toContain(why);
    }
    expect(inWords('not verified: a fault nobody foresaw')).toBe('Not checked: a fault nobody foresaw');
    expect(inWords('from, ambiguous')).toBe(inWords('not verified: From is ambiguous'));
    expect([inWords(''), inWords('visitor token'), inWords('jwt kid=a sub=b')].map((words) => words.length > 0)).toEqual([false, true, true]);
  });
});
