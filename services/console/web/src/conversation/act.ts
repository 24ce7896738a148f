import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { inbox, newKey } from '../api/client';
import { describe } from '../api/error';
import { Status, type Conversation, type Priority, ConversationSchema } from '../gen/weftline/inbox/v1/types_pb';
import { loadConversation } from '../live/load';
import { cacheNow, useLive } from '../live/store';
import { say } from '../ui/toast';
import { inTurn } from './turn';

/** Shows the change at once, orders it in its turn, and takes it back with words when the hub refuses. */
async function optimistic(id: string, change: Partial<Conversation>, order: () => Promise<unknown>, failed: string): Promise<boolean> {
  const before = cacheNow().conversations.get(id);
  if (before) setRow({ ...before, ...change });
  try {
    await inTurn(id, order);
    return true;
  } catch (error) {
    if (before) setRow(before);
    void loadConversation(id).catch(() => {});
    say(`${failed} ${describe(error)}`, { tone: 'bad' });
    return false;
  }
}

function setRow(row: Conversation): void {
  useLive.setState((s) => ({ cache: { ...s.cache, conversations: new Map(s.cache.conversations).set(row.id, row) } }));
}

export const assign = (id: string, assignee: string): Promise<boolean> =>
  optimistic(id, { assignee }, () => inbox.assign({ conversationId: id, assignee, idempotencyKey: newKey() }), 'Not assigned.');

export const setStatus = (id: string, status: Status, snoozedUntil?: number): Promise<boolean> => {
  const until = snoozedUntil === undefined ? undefined : timestampFromMs(snoozedUntil);
  const order = () => inbox.setStatus({ conversationId: id, status, ...(until ? { snoozedUntil: until } : {}), idempotencyKey: newKey() });
  return optimistic(id, { status, snoozedUntil: until }, order, 'The status was not changed.');
};

export const setPriority = (id: string, priority: Priority): Promise<boolean> =>
  optimistic(id, { priority }, () => inbox.setPriority({ conversationId: id, priority, idempotencyKey: newKey() }), 'The priority was not changed.');

export const addTag = (id: string, tag: string): Promise<boolean> => {
  const tags = cacheNow().conversations.get(id)?.tags ?? create(ConversationSchema).tags;
  return optimistic(id, { tags: [...new Set([...tags, tag])] }, () => inbox.addTag({ conversationId: id, tag, idempotencyKey: newKey() }), 'The tag was not added.');
};

export const removeTag = (id: string, tag: string): Promise<boolean> => {
  const tags = (cacheNow().conversations.get(id)?.tags ?? []).filter((t) => t !== tag);
  return optimistic(id, { tags }, () => inbox.removeTag({ conversationId: id, tag, idempotencyKey: newKey() }), 'The tag was not removed.');
};

/** Closes an open conversation and says so with a way back; opens a closed one. */
export async function toggleClosed(row: Conversation): Promise<void> {
  if (row.status === Status.CLOSED) {
    await setStatus(row.id, Status.OPEN);
    return;
  }
  const before = row.status;
  if (await setStatus(row.id, Status.CLOSED))
    say('Closed.', { action: { label: 'Undo', run: () => void setStatus(row.id, before === Status.SNOOZED ? Status.OPEN : before) } });
}
