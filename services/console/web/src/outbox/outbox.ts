import { create } from 'zustand';
import { create as message, toJson, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { AttachmentSchema, TemplateSchema, type Attachment, type Template, type TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';

/**
 * queued: waits for the network. refused: somebody else said something first.
 * refuted: whoever is answered does not own the address. The agent decides on both.
 */
export type PendingState = 'queued' | 'sending' | 'failed' | 'refused' | 'refuted';

/** Why a reply was held back as refuted: the address it would go to, and what refutes it in the hub's words. */
export type Doubt = { address: string; kind: string; evidence: string };

/** Something the agent sent that the hub has not confirmed. Its key makes sending it again harmless. */
export type Pending = {
  key: string;
  kind: 'reply' | 'note';
  conversationId: string;
  customerId: string;
  author: string;
  text: string;
  html: string;
  /** The editor's own form, to go on writing when it comes back. */
  source: string;
  attachments: Attachment[];
  answers: string;
  lastSeen: bigint;
  force: boolean;
  /** The agent insists on answering a sender who does not own the address. */
  toRefuted?: boolean;
  close: boolean;
  /** Sent in place of text, which says what the customer reads. */
  template?: Template | undefined;
  state: PendingState;
  reason: string;
  newer: TimelineEntry[];
  newerVersion: bigint;
  doubt?: Doubt | undefined;
  createdAt: number;
};

export const useOutbox = create<{ items: readonly Pending[] }>(() => ({ items: [] }));

let storageKey = '';

/** Reads what an earlier page could not send. Anything it was sending is sent again with the same key. */
export function openOutbox(agentId: string): void {
  storageKey = 'weftline.outbox.' + agentId;
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey) ?? '[]') as StoredPending[];
    useOutbox.setState({ items: stored.map(revive) });
  } catch {
    localStorage.removeItem(storageKey);
  }
}

export const pendingNow = (): readonly Pending[] => useOutbox.getState().items;

export function put(item: Pending): void {
  set([...pendingNow(), item]);
}

export function change(key: string, change: Partial<Pending>): void {
  set(pendingNow().map((item) => (item.key === key ? { ...item, ...change } : item)));
}

export function remove(key: string): void {
  set(pendingNow().filter((item) => item.key !== key));
}

function set(items: readonly Pending[]): void {
  useOutbox.setState({ items });
  if (!storageKey) return;
  try {
    localStorage.setItem(storageKey, JSON.stringify(items.map(freeze)));
  } catch {
    // A full store loses only the copy for after a reload; the items stay in memory.
  }
}

type StoredPending = Omit<Pending, 'lastSeen' | 'newerVersion' | 'attachments' | 'newer' | 'template'> & { lastSeen: string; attachments: JsonValue[]; template?: JsonValue | undefined };

function freeze({ newer: _newer, newerVersion: _version, ...item }: Pending): StoredPending {
  return { ...item, lastSeen: String(item.lastSeen), attachments: item.attachments.map((a) => toJson(AttachmentSchema, a)), template: item.template && toJson(TemplateSchema, item.template) };
}

function revive(item: StoredPending): Pending {
  return {
    ...item,
    lastSeen: BigInt(item.lastSeen),
    attachments: item.attachments.map((a) => message(AttachmentSchema, fromJson(AttachmentSchema, a))),
    template: item.template === undefined ? undefined : message(TemplateSchema, fromJson(TemplateSchema, item.template)),
    // A refusal has to be asked for again: its newer entries were not kept.
    state: item.state === 'failed' ? 'failed' : 'queued',
    newer: [],
    newerVersion: 0n,
  };
}
