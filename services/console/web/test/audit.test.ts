import { expect, test } from 'vitest';
import { agentIn, did, ending } from '../src/settings/audit';

test('what was done is told in words, and an unknown action by its name', () => {
  expect(did('read.timeline')).toBe('read a timeline');
  expect(did('future.thing')).toBe('future.thing');
});

test('what went well has no ending', () => {
  expect(ending({ outcome: 'ok', reason: '' })).toBe('');
  expect(ending({ outcome: 'refused', reason: 'permission_denied' })).toBe('Refused: not allowed');
  expect(ending({ outcome: 'refused', reason: 'odd_code' })).toBe('Refused: odd_code');
  expect(ending({ outcome: 'failed', reason: '' })).toBe('Failed');
});

test('only entries about agents name one', () => {
  expect(agentIn({ action: 'right.agent_added', objectId: 'a1' })).toBe('a1');
  expect(agentIn({ action: 'login.failed', objectId: 'a1' })).toBe('a1');
  expect(agentIn({ action: 'right.token_made', objectId: 't1' })).toBe('');
  expect(agentIn({ action: 'download.attachment', objectId: 'e1' })).toBe('');
});
