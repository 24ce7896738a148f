import { describe, expect, it } from 'vitest';
import { arrived, confirmed, holdMs, isDirty, nothing, typed } from '../src/draft/guard';

const now = 1_000_000;

describe('draft guard', () => {
  it('gives every key a revision above all that is known', () => {
    const a = typed(nothing, 'h', now);
    const b = typed(a, 'hi', now);
    expect(b.revision).toBeGreaterThan(a.revision);
    expect(typed({ ...b, saved: now * 2 }, 'hi!', now).revision).toBeGreaterThan(now * 2);
    expect(typed(b, 'hi', now)).toBe(b);
  });

  it('shows a newer draft from elsewhere when nobody types here', () => {
    expect(arrived(nothing, { text: 'from the phone', revision: 7 }, now)).toEqual({ text: 'from the phone', revision: 7, saved: 7, typedAt: 0 });
  });

  it('never replaces words being typed, saved or not', () => {
    const local = typed(nothing, 'mine', now);
    const dirty = arrived(local, { text: 'theirs', revision: local.revision + 5 }, now + 1);
    expect(dirty.text).toBe('mine');
    expect(isDirty(dirty)).toBe(true);
    const saved = { ...local, saved: local.revision };
    expect(arrived(saved, { text: 'theirs', revision: local.revision + 5 }, now + 1).text).toBe('mine');
    expect(arrived(saved, { text: 'theirs', revision: local.revision + 5 }, now + holdMs + 1).text).toBe('theirs');
  });

  it('ignores an older draft', () => {
    const local = typed(nothing, 'mine', now);
    expect(arrived(local, { text: 'old', revision: 3 }, now).text).toBe('mine');
  });

  it('stays dirty when a key came while saving', () => {
    const first = typed(nothing, 'a', now);
    const second = typed(first, 'ab', now + 1);
    expect(isDirty(confirmed(second, { text: 'a', revision: first.revision }, now + 2))).toBe(true);
    expect(isDirty(confirmed(second, { text: 'ab', revision: second.revision }, now + 2))).toBe(false);
  });
});
