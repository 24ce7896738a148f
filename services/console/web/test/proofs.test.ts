import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { SendRefusedSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { ProofSchema } from '../src/gen/weftline/identity/v1/types_pb';
import { forgetProof, kindOfChannel, left, provable, rememberProof, standing, timeLeft, useProofs, whyNot, wrongCode } from '../src/person/proofs';

const proof = (more: Parameters<typeof create<typeof ProofSchema>>[1]) => create(ProofSchema, { method: 'code', state: 'open', customerId: 'c1', triesLeft: 5, ...more });

describe('a proof in words', () => {
  it('has some for every state, and a tone', () => {
    expect(standing(proof({}))).toMatchObject({ tone: 'wait', title: 'A code was sent', plain: 'It is on its way.' });
    expect(standing(proof({ method: 'link', delivery: 'delivered' }))).toMatchObject({ title: 'A link was sent', plain: 'It has arrived.' });
    expect(standing(proof({ delivery: 'failed' })).tone).toBe('bad');
    for (const state of ['failed', 'expired', 'void']) expect(standing(proof({ state })).tone, state).toBe('bad');
    expect(standing(proof({ state: 'void', delivery: 'failed' })).plain).toMatch(/not be delivered/);
    expect(standing(proof({ state: 'void' })).plain).toMatch(/newer one/);
  });
  it('says what followed from a passed one', () => {
    expect(standing(proof({ state: 'passed', ownerId: 'c1' })).plain).toBe('Whoever this is controls the address.');
    expect(standing(proof({ state: 'passed', ownerId: 'c2', linkId: 'l' })).plain).toMatch(/one person now/);
    expect(standing(proof({ state: 'passed', ownerId: 'c2', refused: 'shared' })).plain).toMatch(/shared by several people.*by hand/);
    expect(standing(proof({ state: 'passed', ownerId: 'c2', refused: 'logins' })).plain).toMatch(/among the suggestions/);
    expect(standing(proof({ state: 'passed', ownerId: 'c2', refused: 'moon' })).plain).toMatch(/moon/);
  });
  it('counts down in minutes and seconds', () => {
    expect([left(600_000), left(65_001), left(9_000), left(-5)]).toEqual(['10:00', '1:06', '0:09', '0:00']);
    expect(timeLeft(proof({ expiresAt: timestampFromMs(5_000) }), 2_000)).toBe(3_000);
  });
});

describe('what stands in the way of a proof', () => {
  const limited = (what: string, after?: string): ConnectError =>
    new ConnectError(`too many codes for this ${what}: wait 1h`, Code.ResourceExhausted, after === undefined ? {} : { 'retry-after': after });
  it('says what was too much, and from when it goes on', () => {
    const now = new Date(2026, 10, 27, 14, 2).getTime();
    expect(whyNot(limited('address', '3480'), now)).toMatch(/^Too many codes were sent to this address\. The next one can be sent from (15:00|0?3:00)/);
    expect(whyNot(limited('customer', '60'), now)).toMatch(/for this customer/);
    expect(whyNot(limited('inbox'), now)).toBe('Too many codes were sent by this inbox. Wait a while.');
  });
  it('says why no link goes', () => {
    expect(whyNot(new ConnectError('link: cannot be sent here', Code.InvalidArgument))).toMatch(/public address is not set/);
    expect(whyNot(new ConnectError('address: is not an address of this kind', Code.InvalidArgument))).toBe('address: is not an address of this kind');
  });
  it('says that the address opted out', () => {
    const now = new Date(2026, 10, 27, 14, 2).getTime();
    const at = timestampFromMs(new Date(2026, 10, 27, 9, 30).getTime());
    const out = create(SendRefusedSchema, { reason: 'opted_out', optedOut: { handleId: 'h1', inboxId: 'texts', wish: 'out', at } });
    const refused = new ConnectError('address: opted out on 2026-11-27', Code.FailedPrecondition, undefined, [{ desc: SendRefusedSchema, value: out }]);
    expect(whyNot(refused, now)).toMatch(/^The address opted out on 0?9:30.*: no code is sent there/);
  });
  it('is seen before the hub is asked', () => {
    expect([wrongCode('123456'), wrongCode(' 123 456 '), wrongCode('123-456')]).toEqual(['', '', '']);
    expect([wrongCode('12345'), wrongCode('12345a'), wrongCode('')].every(Boolean)).toBe(true);
    expect([provable('email'), provable('phone'), provable('chat')]).toEqual([true, true, false]);
    expect([kindOfChannel('sms'), kindOfChannel('email'), kindOfChannel('fax')]).toEqual(['phone', 'email', 'fax']);
  });
});

it('the latest proof of an address is remembered until a new one is wanted', () => {
  rememberProof('h1', { proofId: 'p1', address: 'a' });
  rememberProof('h1', { proofId: 'p2', address: 'a' });
  rememberProof('h2', { proofId: 'p3', address: 'b' });
  forgetProof('h2');
  expect(useProofs.getState().of).toEqual({ h1: { proofId: 'p2', address: 'a' } });
});
