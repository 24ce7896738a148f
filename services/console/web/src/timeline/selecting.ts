import { create } from 'zustand';
import { toggled } from './view';

type Selecting = { conversationId: string; ids: readonly string[] };

/** Messages being chosen to become a conversation of their own; no conversation: nobody chooses. */
export const useSelecting = create<Selecting>(() => ({ conversationId: '', ids: [] }));

/** Most messages one split may name, as the hub demands. */
export const mostSelected = 200;

export const beginSelecting = (conversationId: string): void => useSelecting.setState({ conversationId, ids: [] });
export const endSelecting = (): void => useSelecting.setState({ conversationId: '', ids: [] });
export const select = (id: string): void => useSelecting.setState((s) => ({ ids: toggled(s.ids, id) }));
