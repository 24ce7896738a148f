import { create } from 'zustand';
import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';

type Seen = { versions: Readonly<Record<string, number>> };

const storageKey = 'weftline.seen';
const most = 2_000;

function stored(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Record<string, number>;
  } catch {
    return {};
  }
}

/** Up to which version this agent has seen each conversation's end, in this browser. */
export const useSeen = create<Seen>(() => ({ versions: stored() }));

export function see(id: string, version: bigint): void {
  const { [id]: have, ...rest } = useSeen.getState().versions;
  if (have === Number(version)) return;
  const entries = Object.entries(rest);
  const versions = Object.fromEntries([...entries.slice(Math.max(0, entries.length - most)), [id, Number(version)]]);
  useSeen.setState({ versions });
  try {
    localStorage.setItem(storageKey, JSON.stringify(versions));
  } catch {
    // Marks hold until the page closes.
  }
}

export const unsee = (row: Conversation): void => see(row.id, row.version - 1n);

/** The customer waits and this agent has not seen the newest message. */
export const isUnread = (row: Conversation, versions: Seen['versions']): boolean =>
  row.waitingSince !== undefined && Number(row.version) > (versions[row.id] ?? 0);
