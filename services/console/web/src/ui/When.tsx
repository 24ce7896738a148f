import { useSyncExternalStore } from 'react';
import { millis } from '../live/cache';
import { times } from './locale';

type Stamp = { seconds: bigint; nanos: number };

let now = Date.now();
const listeners = new Set<() => void>();
setInterval(() => {
  now = Date.now();
  listeners.forEach((f) => f());
}, 20_000);
const listen = (f: () => void): (() => void) => {
  listeners.add(f);
  return () => listeners.delete(f);
};

/** A clock for words such as "3 min": changes every 20 s. */
export const useNow = (): number => useSyncExternalStore(listen, () => now);

const day = 86_400_000;

export function clock(at: number): string {
  return times({ hour: '2-digit', minute: '2-digit' }).format(at);
}

/** "14:02", "Tue 14:02" or "3 Nov 2026, 14:02". */
export function moment(at: number, today = Date.now()): string {
  if (new Date(at).toDateString() === new Date(today).toDateString()) return clock(at);
  const near = Math.abs(today - at) < 6 * day;
  const options: Intl.DateTimeFormatOptions = near
    ? { weekday: 'short' }
    : { day: 'numeric', month: 'short', ...(new Date(at).getFullYear() === new Date(today).getFullYear() ? {} : { year: 'numeric' }) };
  return `${times(options).format(at)}, ${clock(at)}`;
}

/** "now", "4 min", "3 h", "2 d" since a moment. */
export function span(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 1440)} d`;
}

export function When({ at, short, className }: { at?: Stamp | undefined; short?: boolean; className?: string }) {
  const today = useNow();
  if (!at) return null;
  const ms = millis(at);
  const full = times({ dateStyle: 'full', timeStyle: 'long' }).format(ms);
  return <time dateTime={new Date(ms).toISOString()} title={full} className={className}><bdi>{short ? span(today - ms) : moment(ms, today)}</bdi></time>;
}
