import { Draft } from '../draft/desk';
import type { Pending } from '../outbox/outbox';

type Taker = (item: Pending) => void;
const takers = new Map<string, Taker>();

/** An open composer takes what comes back for its conversation. Returns a function that stops it. */
export function takeBack(conversationId: string, taker: Taker): () => void {
  takers.set(conversationId, taker);
  return () => {
    if (takers.get(conversationId) === taker) takers.delete(conversationId);
  };
}

/** Puts something unsent back into the draft of its conversation, after what is there. */
export function giveBack(item: Pending): void {
  const taker = takers.get(item.conversationId);
  if (taker) {
    taker(item);
    return;
  }
  const draft = new Draft(item.conversationId, item.kind, () => {}, () => {});
  draft.type(draft.text + item.source);
  draft.close();
}
