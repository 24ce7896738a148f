/** Everything a key can do. A screen handles the ones whose function it has. */
export type Action =
  | 'palette' | 'help' | 'next' | 'previous' | 'open' | 'back' | 'next-of-customer' | 'previous-of-customer'
  | 'close' | 'snooze' | 'assign' | 'assign-me' | 'tag' | 'unread' | 'reply' | 'note' | 'new' | 'customer' | 'merge' | 'as-of'
  | 'attach' | 'go-inbox' | 'go-unassigned' | 'go-all' | 'go-settings' | 'go-search' | 'next-pane' | 'previous-pane';

export type Binding = {
  action: Action;
  /** "Mod+K" (Ctrl, or ⌘ on a Mac), "g i" (one after the other), "j". */
  keys: string;
  does: string;
  group: 'Anywhere' | 'Queue' | 'Conversation' | 'Writing' | 'Go to';
};

export const bindings: readonly Binding[] = [
  { action: 'palette', keys: 'Mod+K', does: 'Commands and search', group: 'Anywhere' },
  { action: 'help', keys: '?', does: 'Keyboard shortcuts', group: 'Anywhere' },
  { action: 'new', keys: 'c', does: 'New conversation', group: 'Anywhere' },
  { action: 'next-pane', keys: 'F6', does: 'Next pane', group: 'Anywhere' },
  { action: 'previous-pane', keys: 'Shift+F6', does: 'Previous pane', group: 'Anywhere' },
  { action: 'back', keys: 'Escape', does: 'Back one pane', group: 'Anywhere' },
  { action: 'next', keys: 'j', does: 'Next conversation', group: 'Queue' },
  { action: 'previous', keys: 'k', does: 'Previous conversation', group: 'Queue' },
  { action: 'open', keys: 'o', does: 'Open conversation', group: 'Queue' },
  { action: 'unread', keys: 'u', does: 'Mark unread', group: 'Queue' },
  { action: 'reply', keys: 'r', does: 'Write a reply', group: 'Conversation' },
  { action: 'note', keys: 'n', does: 'Write a note', group: 'Conversation' },
  { action: 'close', keys: 'e', does: 'Close, or open again', group: 'Conversation' },
  { action: 'snooze', keys: 's', does: 'Snooze…', group: 'Conversation' },
  { action: 'assign', keys: 'a', does: 'Assign…', group: 'Conversation' },
  { action: 'assign-me', keys: 'i', does: 'Assign to me', group: 'Conversation' },
  { action: 'tag', keys: 'l', does: 'Add a tag', group: 'Conversation' },
  { action: 'customer', keys: 'p', does: 'Show or hide the customer', group: 'Conversation' },
  { action: 'merge', keys: 'm', does: 'Merge with another person…', group: 'Conversation' },
  { action: 'as-of', keys: 'h', does: 'Show the timeline as it was…', group: 'Conversation' },
  { action: 'previous-of-customer', keys: '[', does: 'Previous conversation of this customer', group: 'Conversation' },
  { action: 'next-of-customer', keys: ']', does: 'Next conversation of this customer', group: 'Conversation' },
  { action: 'attach', keys: 'Mod+Shift+U', does: 'Attach a file', group: 'Writing' },
  { action: 'go-inbox', keys: 'g i', does: 'My conversations', group: 'Go to' },
  { action: 'go-unassigned', keys: 'g u', does: 'Unassigned', group: 'Go to' },
  { action: 'go-all', keys: 'g a', does: 'All conversations', group: 'Go to' },
  { action: 'go-search', keys: 'g s', does: 'Search', group: 'Go to' },
  { action: 'go-settings', keys: 'g ,', does: 'Settings', group: 'Go to' },
];

/** Keys the composer handles itself, listed with the others. */
export const composerKeys = [
  { keys: 'Mod+Enter', does: 'Send' },
  { keys: 'Mod+Shift+Enter', does: 'Send and close, go to the next' },
] as const;

export type Stroke = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'isComposing'> & { editable: boolean };

/** How long the second key of a sequence may take, ms. */
export const sequenceMs = 1_000;

/**
 * Turns key strokes into actions. Single characters count only outside text
 * fields and only while they are switched on (WCAG 2.1.4); Alt is never bound,
 * because AltGr types characters.
 */
export class Keys {
  private prefix = '';
  private prefixAt = 0;

  constructor(public singles: boolean, private readonly now: () => number = Date.now) {}

  press(stroke: Stroke): Action | undefined {
    if (stroke.isComposing || stroke.altKey || ['Control', 'Meta', 'Shift', 'Alt', 'AltGraph'].includes(stroke.key)) return undefined;
    const modified = stroke.ctrlKey || stroke.metaKey;
    const single = !modified && stroke.key.length === 1;
    if (single && (stroke.editable || !this.singles)) {
      this.prefix = '';
      return undefined;
    }
    const name = nameOf(stroke, modified, single);
    const sequence = this.prefix && this.now() - this.prefixAt <= sequenceMs ? `${this.prefix} ${name}` : name;
    this.prefix = '';
    const hit = bindings.find((b) => b.keys === sequence);
    if (hit) return hit.action;
    if (sequence === name && bindings.some((b) => b.keys.startsWith(name + ' '))) {
      this.prefix = name;
      this.prefixAt = this.now();
    }
    return undefined;
  }
}

function nameOf(stroke: Stroke, modified: boolean, single: boolean): string {
  if (single) return stroke.key.toLowerCase();
  const key = stroke.key.length === 1 ? stroke.key.toUpperCase() : stroke.key;
  return (modified ? 'Mod+' : '') + (stroke.shiftKey ? 'Shift+' : '') + key;
}

/** For people: "⌘ K" on a Mac, "Ctrl K" elsewhere. */
export function spoken(keys: string, mac = /Mac|iPhone|iPad/.test(navigator.platform)): string {
  return keys.replaceAll('Mod', mac ? '⌘' : 'Ctrl').replaceAll('Shift', mac ? '⇧' : 'Shift').replace('Escape', 'Esc').replaceAll('+', ' ');
}
