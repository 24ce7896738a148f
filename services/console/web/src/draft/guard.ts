/** What one page knows of one draft. */
export type Held = {
  /** What is in the editor. */
  readonly text: string;
  /** Revision of text. Grows with every key; never reused, on any machine of this agent. */
  readonly revision: number;
  /** Highest revision the hub confirmed or told of. */
  readonly saved: number;
  /** When the agent last typed here, ms since epoch; 0 when he has not. */
  readonly typedAt: number;
};

export const nothing: Held = { text: '', revision: 0, saved: 0, typedAt: 0 };

/** Typing always wins over what is known, and gets a revision above all of it. */
export function typed(held: Held, text: string, now: number): Held {
  if (text === held.text) return held;
  return { text, revision: Math.max(held.revision + 1, held.saved + 1, now), saved: held.saved, typedAt: now };
}

export const isDirty = (held: Held): boolean => held.revision > held.saved;

/** How long after a key another device's draft is not shown, even when everything is saved. */
export const holdMs = 30_000;

/**
 * A draft from elsewhere: another tab, another device, or the hub's answer.
 * Taken only when it is newer and the agent is not in the middle of typing here.
 */
export function arrived(held: Held, remote: { text: string; revision: number }, now: number): Held {
  if (remote.revision <= held.revision) return { ...held, saved: Math.max(held.saved, remote.revision) };
  const typing = isDirty(held) || (held.typedAt > 0 && now - held.typedAt < holdMs);
  if (typing) {
    // Keep the words; save them again above the other revision.
    return { ...held, saved: Math.max(held.saved, remote.revision), revision: remote.revision + 1 };
  }
  return { text: remote.text, revision: remote.revision, saved: remote.revision, typedAt: 0 };
}

/** The hub stored this revision (or already held a newer one). */
export function confirmed(held: Held, stored: { text: string; revision: number }, now: number): Held {
  return stored.revision <= held.revision ? { ...held, saved: Math.max(held.saved, stored.revision) } : arrived(held, stored, now);
}
