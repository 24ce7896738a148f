import { describe, expect, it } from 'vitest';
import { bindings, Keys, sequenceMs, spoken, type Stroke } from '../src/keyboard/keymap';

const stroke = (key: string, more: Partial<Stroke> = {}): Stroke => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, editable: false, ...more });

describe('keyboard map', () => {
  it('binds every key once, and neither Alt nor Shift with a letter', () => {
    const keys = bindings.map((b) => b.keys);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).not.toMatch(/Alt|^Shift\+[A-Z]$/);
    const firsts = keys.filter((k) => k.includes(' ')).map((k) => k.split(' ')[0]);
    for (const first of firsts) expect(keys).not.toContain(first);
  });

  it('takes single letters outside text only, and only while they are on', () => {
    expect(new Keys(true).press(stroke('r'))).toBe('reply');
    expect(new Keys(true).press(stroke('r', { editable: true }))).toBeUndefined();
    expect(new Keys(false).press(stroke('r'))).toBeUndefined();
    expect(new Keys(true).press(stroke('?', { shiftKey: true }))).toBe('help');
  });

  it('takes Ctrl and ⌘ everywhere', () => {
    expect(new Keys(false).press(stroke('k', { ctrlKey: true, editable: true }))).toBe('palette');
    expect(new Keys(false).press(stroke('k', { metaKey: true }))).toBe('palette');
    expect(new Keys(true).press(stroke('F6', { shiftKey: true }))).toBe('previous-pane');
  });

  it('ignores composing and AltGr', () => {
    expect(new Keys(true).press(stroke('r', { isComposing: true }))).toBeUndefined();
    expect(new Keys(true).press(stroke('e', { altKey: true, ctrlKey: true }))).toBeUndefined();
  });

  it('reads sequences within their time', () => {
    let now = 0;
    const keys = new Keys(true, () => now);
    expect(keys.press(stroke('g'))).toBeUndefined();
    expect(keys.press(stroke('u'))).toBe('go-unassigned');
    keys.press(stroke('g'));
    now += sequenceMs + 1;
    expect(keys.press(stroke('i'))).toBe('assign-me');
  });

  it('speaks the platform’s language', () => {
    expect(spoken('Mod+K', true)).toBe('⌘ K');
    expect(spoken('Mod+Shift+Enter', false)).toBe('Ctrl Shift Enter');
  });
});
