import { useEffect } from 'react';
import { usePreferences } from '../shell/preferences';
import { perform } from './actions';
import { typeAhead } from './ahead';
import { Keys } from './keymap';

const isEditable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** A dialog or menu that is open owns the keys. */
const isCovered = (): boolean => document.querySelector('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null;

/** Listens to the page's keys. Draws nothing. */
export function Listener(): null {
  const singles = usePreferences((s) => s.singleKeys);
  useEffect(() => {
    const keys = new Keys(singles);
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented) return;
      if (!isEditable(event.target) && !isCovered() && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && typeAhead(event.key)) {
        event.preventDefault();
        return;
      }
      const action = keys.press({
        key: event.key, ctrlKey: event.ctrlKey, metaKey: event.metaKey, altKey: event.altKey, shiftKey: event.shiftKey,
        isComposing: event.isComposing, editable: isEditable(event.target),
      });
      if (!action || isCovered()) return;
      if (perform(action)) event.preventDefault();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [singles]);
  return null;
}
