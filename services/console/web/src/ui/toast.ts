import { create } from 'zustand';

export type Toast = { id: number; text: string; tone: 'plain' | 'bad'; action?: { label: string; run(): void } };

export const useToasts = create<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }));

let last = 0;

/** Says something for a few seconds; a failure stays longer. */
export function say(text: string, options: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
  const id = ++last;
  useToasts.setState((s) => ({ toasts: [...s.toasts.slice(-2), { id, text, tone: 'plain', ...options }] }));
  setTimeout(() => hush(id), options.tone === 'bad' ? 9_000 : 5_000);
}

export const hush = (id: number): void => useToasts.setState((s) => ({ toasts: s.toasts.filter((t) => t.id !== id) }));
