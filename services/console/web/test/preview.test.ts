import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { ReplyTargetSchema, type Conversation } from '../src/gen/weftline/inbox/v1/types_pb';
import { previewOf } from '../src/queue/preview';
import { conversation } from './fixture';

const row = (more: Partial<Conversation> = {}) => ({ ...conversation(1, { channel: 'chat', messages: 3n, replyTarget: create(ReplyTargetSchema, { channel: 'chat' }) }), ...more });

it('a row whose last message has no words says what it may be', () => {
  expect(previewOf(row({ preview: 'Hello' }))).toBe('Hello');
  expect(previewOf(row())).toBe('A file');
  expect(previewOf(row({ channel: 'slack' }))).toBe('A file or a deleted message');
});

it('a row of which nothing is left says nothing', () => {
  expect(previewOf(conversation(1, { channel: 'chat', messages: 3n }))).toBe('');
  expect(previewOf(row({ messages: 0n }))).toBe('');
});
