import { describe, expect, it } from 'vitest';
import { below, kept, problem } from '../src/settings/signature';

describe("an agent's own signature", () => {
  it('is kept as it is sent', () => {
    expect(kept('  Olga\r\nShop \n')).toBe('Olga\nShop');
    expect(below(' Olga\r\nShop ')).toBe('-- \nOlga\nShop');
    expect(below(' \n ')).toBe('');
  });
  it('has the limits of the hub, counted as it counts', () => {
    expect(problem('x'.repeat(1000))).toBe('');
    expect(problem('😀'.repeat(1000))).toBe('');
    expect(problem('x'.repeat(1001))).toContain('allowed are 1,000');
    expect(problem(' '.repeat(2000))).toBe('');
    expect(problem('x\n'.repeat(20))).toBe('');
    expect(problem('x\n'.repeat(20) + 'x')).toContain('21 lines, allowed are 20');
  });
  it('holds nothing that hides or turns text', () => {
    for (const bad of ['a\u202eb', 'a\u2067b', 'a\u200fb', 'a\u061cb', 'a\u0007b', 'a\tb', 'a\u0085b', 'a\rb']) expect(problem(bad), JSON.stringify(bad)).toContain('control characters');
    expect(problem('علا\nمتجر')).toBe('');
  });
});
