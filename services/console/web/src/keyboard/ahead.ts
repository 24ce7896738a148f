/**
 * Typing ahead: between asking for the editor and its being there, keys are
 * text. Taken for shortcuts they would close, snooze or assign.
 */
type Ahead = { readonly kind: 'reply' | 'note'; text: string; until: number };
let asked: Ahead | undefined;

/** How long an editor that does not come is waited for, ms. */
export const aheadMs = 10_000;

/** Somebody wants to write; what is typed from now on waits for the editor. */
export function askAhead(kind: 'reply' | 'note', now = Date.now()): void {
  asked = { kind, text: asked?.kind === kind ? asked.text : '', until: now + aheadMs };
}

/** Keeps a key, or undoes one. False: nobody waits for an editor, the key means what it means. */
export function typeAhead(key: string, now = Date.now()): boolean {
  if (!asked || now > asked.until) return false;
  if (key === 'Escape') asked = undefined;
  else if (key === 'Backspace') asked.text = [...asked.text].slice(0, -1).join('');
  else if (key === 'Enter') asked.text += '\n';
  else if ([...key].length === 1) asked.text += key;
  else return false;
  return true;
}

/** What is waited for: not taken yet. */
export const wanted = (now = Date.now()): 'reply' | 'note' | undefined => (asked && now <= asked.until ? asked.kind : undefined);

/** The editor is there: what was typed meanwhile, or undefined when nobody asked for this kind. */
export function takeAhead(kind: 'reply' | 'note', now = Date.now()): string | undefined {
  if (wanted(now) !== kind) return undefined;
  const { text } = asked as Ahead;
  asked = undefined;
  return text;
}

/** Another conversation: what was typed was not for it. */
export function forgetAhead(): void {
  asked = undefined;
}
