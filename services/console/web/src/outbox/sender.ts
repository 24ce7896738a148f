import { inbox } from '../api/client';
import { conversationChanged, describe, isOffline, senderRefuted } from '../api/error';
import { Direction, type TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { insert } from '../live/cache';
import { takeSnapshot } from '../live/store';
import { change, pendingNow, put, remove, type Pending } from './outbox';

const busy = new Set<string>();
let retry: ReturnType<typeof setTimeout> | undefined;

/** Queues something and sends it as soon as what went before it in the same conversation is through. */
export function submit(item: Pending): void {
  put(item);
  flush();
}

/** Sends everything that waits: one at a time per conversation, in order. */
export function flush(): void {
  clearTimeout(retry);
  const started = new Set<string>();
  for (const item of pendingNow()) {
    if (busy.has(item.conversationId) || started.has(item.conversationId)) continue;
    // A refused or failed item waits for the agent, and what he wrote after it waits too.
    started.add(item.conversationId);
    if (item.state === 'queued' || item.state === 'sending') void send(item);
  }
}

/** Sends a failed or queued item again, with the same key; one that was held back although it was. */
export function again(key: string): void {
  const state = pendingNow().find((item) => item.key === key)?.state;
  change(key, { state: 'queued', reason: '', ...(state === 'refused' ? { force: true } : state === 'refuted' ? { toRefuted: true } : {}) });
  flush();
}

async function send(item: Pending): Promise<void> {
  busy.add(item.conversationId);
  change(item.key, { state: 'sending', reason: '' });
  try {
    confirm(item, await call(item));
  } catch (error) {
    const changed = conversationChanged(error);
    if (changed && changed.newer.length > 0 && changed.newer.every((entry) => isOwn(entry, item.author))) {
      // Only our own earlier words are newer: nothing to look at.
      change(item.key, { state: 'queued', lastSeen: changed.version });
    } else if (changed) {
      change(item.key, { state: 'refused', newer: changed.newer, newerVersion: changed.version, reason: 'Something new came in first.' });
    } else if (senderRefuted(error)) {
      const { handle, evidence } = senderRefuted(error)!;
      change(item.key, { state: 'refuted', doubt: { address: handle?.address ?? '', kind: handle?.kind ?? '', evidence }, reason: 'The sender does not own the address.' });
    } else if (isOffline(error)) {
      change(item.key, { state: 'queued', reason: 'Waiting for the connection.' });
      busy.delete(item.conversationId);
      retry = setTimeout(flush, 5_000);
      return;
    } else {
      change(item.key, { state: 'failed', reason: describe(error) });
    }
  }
  busy.delete(item.conversationId);
  flush();
}

async function call(item: Pending): Promise<TimelineEntry | undefined> {
  const { conversationId, text, key: idempotencyKey } = item;
  if (item.kind === 'note') return (await inbox.addNote({ conversationId, text, idempotencyKey })).entry;
  const { html, answers, attachments, lastSeen, force, toRefuted = false, close, template } = item;
  return (await inbox.sendReply({ conversationId, text, html, answers, attachments, lastSeen, force, toRefuted, close, idempotencyKey, ...(template ? { template } : {}) })).entry;
}

/** Swaps the optimistic line for the hub's own in one step, so nothing flickers. */
function confirm(item: Pending, entry: TimelineEntry | undefined): void {
  if (entry?.customerId) {
    takeSnapshot(Date.now(), (cache) => {
      const timeline = cache.timelines.get(entry.customerId);
      if (!timeline) return cache;
      const entries = insert(timeline.entries, entry);
      return { ...cache, timelines: new Map(cache.timelines).set(entry.customerId, { ...timeline, entries }) };
    });
  }
  remove(item.key);
}

function isOwn(entry: TimelineEntry, author: string): boolean {
  if (entry.body.case === 'message') return entry.body.value.direction === Direction.OUTBOUND && entry.body.value.author === author;
  if (entry.body.case === 'note') return entry.body.value.author === author;
  return entry.body.case === 'activity';
}

/** The live feed may show a reply before its call returns: then the optimistic line gives way. */
export function shownAlready(item: Pending, entries: readonly TimelineEntry[]): boolean {
  if (item.state !== 'sending') return false;
  for (let i = entries.length - 1; i >= 0 && i >= entries.length - 10; i--) {
    const entry = entries[i]!;
    if (entry.conversationId !== item.conversationId || !isOwn(entry, item.author)) continue;
    const at = Number(entry.recordedAt?.seconds ?? 0n) * 1000;
    const text = entry.body.case === 'message' || entry.body.case === 'note' ? entry.body.value.text : undefined;
    if (text === item.text && at > item.createdAt - 60_000) return true;
  }
  return false;
}
