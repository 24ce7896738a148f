/** What an agent's own signature may have at most; the hub says the same. */
export const limits = { characters: 1000, lines: 20 } as const;

/** The form in which it is kept and sent. */
export const kept = (text: string): string => text.replaceAll('\r\n', '\n').trim();

// Characters that turn the direction of text around: ALM, LRM, RLM, embeddings, overrides, isolates.
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** What is wrong with it, '' when nothing is. */
export function problem(text: string): string {
  const will = kept(text);
  const characters = [...will].length;
  if (characters > limits.characters) return `${characters.toLocaleString()} characters, allowed are ${limits.characters.toLocaleString()}.`;
  const lines = will.split('\n').length;
  if (lines > limits.lines) return `${lines} lines, allowed are ${limits.lines}.`;
  if (/[^\P{Cc}\n]/u.test(will) || turning.test(will)) return 'It holds control characters or ones that change the direction of text.';
  return '';
}

/** How an email ends with it: below the line that mail programs know a signature by (RFC 3676 §4.3). */
export const below = (text: string): string => (kept(text) === '' ? '' : `-- \n${kept(text)}`);
