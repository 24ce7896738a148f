import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';

export type Join = { a: string; b: string; joinId: string };

/** Joins of conversations that stand, from the activities of a timeline, oldest first. Both sides tell of one; it is listed once. */
export function joinsOf(entries: readonly TimelineEntry[]): Join[] {
  const open = new Map<string, Join>();
  const over = new Set<string>();
  for (const { body, conversationId } of entries) {
    if (body.case !== 'activity' || !body.value.ref) continue;
    if (body.value.verb === 'joined') open.set(body.value.ref, { a: conversationId, b: body.value.value, joinId: body.value.ref });
    if (body.value.verb === 'unjoined') over.add(body.value.ref);
  }
  return [...open.values()].filter((join) => !over.has(join.joinId));
}
