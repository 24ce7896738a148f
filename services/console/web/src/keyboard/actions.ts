import { useEffect, useRef } from 'react';
import type { Action } from './keymap';

type Handler = () => void | boolean;
const handlers = new Map<Action, Handler[]>();

/** Does what an action stands for. The screen that was shown last answers first; false passes it on. */
export function perform(action: Action): boolean {
  for (const handler of [...(handlers.get(action) ?? [])].reverse()) if (handler() !== false) return true;
  return false;
}

/** True when something on screen answers the action. */
export const available = (action: Action): boolean => (handlers.get(action)?.length ?? 0) > 0;

/** Answers actions while the component is on screen. */
export function useActions(map: Partial<Record<Action, Handler>>): void {
  const latest = useRef(map);
  latest.current = map;
  const names = Object.keys(map).sort().join(' ');
  useEffect(() => {
    const undo = (names.split(' ').filter(Boolean) as Action[]).map((action) => {
      const handler: Handler = () => latest.current[action]?.();
      handlers.set(action, [...(handlers.get(action) ?? []), handler]);
      return () => handlers.set(action, (handlers.get(action) ?? []).filter((h) => h !== handler));
    });
    return () => undo.forEach((f) => f());
  }, [names]);
}
