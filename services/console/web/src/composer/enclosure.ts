import { create } from 'zustand';
import type { Attachment } from '../gen/weftline/inbox/v1/types_pb';
import { upload } from '../api/upload';

export type Enclosed = { key: string; name: string; size: number; stored?: Attachment; error?: string };

/** Files the agent put to a reply, by conversation. They outlive a look at another conversation. */
export const useFiles = create<{ of: Readonly<Record<string, readonly Enclosed[]>> }>(() => ({ of: {} }));

const set = (conversationId: string, change: (files: readonly Enclosed[]) => readonly Enclosed[]): void =>
  useFiles.setState((s) => ({ of: { ...s.of, [conversationId]: change(s.of[conversationId] ?? []) } }));

/** Uploads files for a reply. */
export function enclose(conversationId: string, files: Iterable<File>): void {
  for (const file of files) {
    const key = crypto.randomUUID();
    set(conversationId, (have) => [...have, { key, name: file.name, size: file.size }]);
    upload(file).then(
      (stored) => set(conversationId, (have) => have.map((f) => (f.key === key ? { ...f, stored } : f))),
      (error: unknown) => set(conversationId, (have) => have.map((f) => (f.key === key ? { ...f, error: error instanceof Error ? error.message : 'Not uploaded.' } : f))),
    );
  }
}

export const discard = (conversationId: string, key: string): void => set(conversationId, (have) => have.filter((f) => f.key !== key));

export const discardAll = (conversationId: string): void => set(conversationId, () => []);

/** Puts files back that were uploaded already. */
export const restore = (conversationId: string, attachments: readonly Attachment[]): void =>
  set(conversationId, (have) => [...have, ...attachments.map((stored) => ({ key: stored.id, name: stored.name, size: Number(stored.size), stored }))]);
