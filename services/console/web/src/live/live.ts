import { toLogin } from '../api/client';
import { forgetPersons } from '../api/queries';
import { concernsIdentity } from './apply';
import { Connection } from './connection';
import { loadConversation, loadCounts, loadTimeline } from './load';
import { cacheNow, forget, take, useLive } from './store';

let build = '';
let fresh: () => void = () => {};

/** Called after a reset, so that what is on screen is fetched again. */
export const onReset = (refetch: () => void): void => void (fresh = refetch);

/** The page's own build, from GetSession. */
export const setBuild = (value: string): void => void (build = value);

let snapshotTaken: () => void = () => {};
const firstSnapshot = new Promise<void>((resolve) => (snapshotTaken = resolve));

/** Says that a first answer named a cursor, so the socket can resume exactly from it. */
export const onFirstSnapshot = (): void => snapshotTaken();

export const connection = new Connection({
  open: () => new WebSocket(location.origin.replace(/^http/, 'ws') + '/ws'),
  ticket: async () => {
    const answer = await fetch('/api/ticket', { method: 'POST' });
    if (answer.status === 401) toLogin();
    if (!answer.ok) throw new TypeError('no ticket');
    return ((await answer.json()) as { ticket: string }).ticket;
  },
  cursor: async () => {
    if (!cacheNow().cursor) await Promise.race([firstSnapshot, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    return cacheNow().cursor;
  },
  events: (events) => {
    take(events);
    tidySoon();
    if (events.some((event) => concernsIdentity(event.entry) || event.staleCustomerIds.length > 0)) personsSoon();
  },
  presence: (presence) =>
    useLive.setState((s) => {
      const map = new Map(s.presence);
      if (presence.viewers.length === 0 && !presence.customerTyping) map.delete(presence.conversationId);
      else map.set(presence.conversationId, presence);
      return { presence: map };
    }),
  reset: (head) => {
    forget(head);
    fresh();
  },
  welcome: (head, serverBuild) => {
    if (!cacheNow().cursor) useLive.setState((s) => ({ cache: { ...s.cache, cursor: head } }));
    if (build && serverBuild && serverBuild !== build) useLive.setState({ outdated: true });
  },
  standing: (standing) => {
    if (standing.phase !== 'live' && standing.phase !== 'catching-up') useLive.setState({ standing, presence: new Map() });
    else useLive.setState({ standing });
  },
});

let tidying: ReturnType<typeof setTimeout> | undefined;

/** Soon after events: fetch the rows they left in doubt, and the counts. */
function tidySoon(): void {
  tidying ??= setTimeout(() => {
    tidying = undefined;
    void loadCounts().catch(() => {});
    refreshStale();
  }, 700);
}

const personsMs = [700, 3_000];

/** Who is who changed: ask again soon, and once more for what the hub's own lists had not heard of by then. */
function personsSoon(): void {
  for (const wait of personsMs)
    setTimeout(() => {
      forgetPersons();
      refreshStale();
    }, wait);
}

export function refreshStale(): void {
  const { stale, staleCustomers, timelines } = cacheNow();
  for (const id of [...stale].slice(0, 25)) void loadConversation(id).catch(() => dropStale(id));
  for (const id of staleCustomers) if (timelines.has(id)) void loadTimeline(id).catch(() => {});
}

/** A row that cannot be had (erased, no permission) is not asked for again until the next event. */
function dropStale(id: string): void {
  useLive.setState((s) => {
    const stale = new Set(s.cache.stale);
    stale.delete(id);
    return { cache: { ...s.cache, stale } };
  });
}

/** Notices a lost network at once, and reconnects at once when it is back or the page may have slept. Returns a function that stops listening. */
export function wakeWithPage(): () => void {
  const wake = (): void => connection.hurry();
  const lose = (): void => connection.sever();
  const seen = (): void => {
    if (document.visibilityState === 'visible') connection.hurry();
  };
  addEventListener('online', wake);
  addEventListener('offline', lose);
  addEventListener('focus', wake);
  document.addEventListener('visibilitychange', seen);
  return () => {
    removeEventListener('online', wake);
    removeEventListener('offline', lose);
    removeEventListener('focus', wake);
    document.removeEventListener('visibilitychange', seen);
  };
}
