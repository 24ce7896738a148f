import { beforeEach, expect, test } from 'vitest';
import { aheadMs, askAhead, forgetAhead, takeAhead, typeAhead, wanted } from '../src/keyboard/ahead';

beforeEach(forgetAhead);

const types = (keys: readonly string[], now: number): boolean[] => keys.map((key) => typeAhead(key, now));

test('what is typed before the editor is there is for the editor', () => {
  expect(types(['e'], 0)).toEqual([false]);
  askAhead('reply', 0);
  expect(types(['H', 'i', '!', 'Backspace', ',', 'Enter', 'é', '👋'], 1)).toEqual(Array<boolean>(8).fill(true));
  expect(takeAhead('note', 2)).toBeUndefined();
  expect(takeAhead('reply', 2)).toBe('Hi,\né👋');
  expect(takeAhead('reply', 2)).toBeUndefined();
  expect(typeAhead('e', 3)).toBe(false);
});

test('asked for twice, nothing typed in between is lost; asked for a note, it begins anew', () => {
  askAhead('reply', 0);
  types(['a'], 1);
  askAhead('reply', 2);
  types(['b'], 3);
  expect(wanted(4)).toBe('reply');
  askAhead('note', 5);
  types(['c'], 6);
  expect(takeAhead('note', 7)).toBe('c');
});

test('keys that write nothing stay what they are', () => {
  askAhead('reply', 0);
  expect(types(['F6', 'Tab', 'ArrowDown', 'Shift'], 1)).toEqual([false, false, false, false]);
  expect(typeAhead('Escape', 2)).toBe(true);
  expect(wanted(3)).toBeUndefined();
});

test('an editor that does not come is not waited for', () => {
  askAhead('reply', 0);
  expect(typeAhead('e', aheadMs + 1)).toBe(false);
  expect(wanted(aheadMs + 1)).toBeUndefined();
});
