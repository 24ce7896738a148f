import { create } from 'zustand';
import type { Counts } from '../gen/weftline/inbox/v1/inbox_pb';
import type { Event, Presence } from '../gen/weftline/realtime/v1/frame_pb';
import { applyEvents } from './apply';
import { emptyCache, type Cache } from './cache';
import type { Standing } from './connection';

type Live = {
  cache: Cache;
  counts: Counts | undefined;
  presence: ReadonlyMap<string, Presence>;
  standing: Standing;
  /** A newer build runs on the server. */
  outdated: boolean;
};

/** What the console shows of the inbox. Written by this folder only. */
export const useLive = create<Live>(() => ({
  cache: emptyCache,
  counts: undefined,
  presence: new Map(),
  standing: { phase: 'connecting', retryAt: 0, heardAt: 0 },
  outdated: false,
}));

export const cacheNow = (): Cache => useLive.getState().cache;

const recent: { at: number; event: Event }[] = [];
const keepMs = 60_000;

/** Takes live events in. */
export function take(events: readonly Event[]): void {
  const now = Date.now();
  for (const event of events) recent.push({ at: now, event });
  while (recent.length > 2_000 || (recent[0] && recent[0].at < now - keepMs)) recent.shift();
  useLive.setState((s) => ({ cache: applyEvents(s.cache, events) }));
}

/**
 * Takes an answer in that was asked for at askedAt. Events that came since (and
 * a little before: a projection may lag behind the live feed) are applied again
 * on top, so an answer can never undo what was already shown.
 */
export function takeSnapshot(askedAt: number, merge: (cache: Cache) => Cache): void {
  const again = recent.filter((r) => r.at >= askedAt - 5_000).map((r) => r.event);
  useLive.setState((s) => ({ cache: applyEvents(merge(s.cache), again) }));
}

/** Forgets everything that a reset made doubtful; rows stay on screen until their new word comes. */
export function forget(head: string): void {
  recent.length = 0;
  useLive.setState((s) => ({ cache: { ...s.cache, lists: new Map(), cursor: head } }));
}
