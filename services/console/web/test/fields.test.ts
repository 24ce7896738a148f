import { describe, expect, it } from 'vitest';
import { formOf, idOf } from '../src/settings/fields';

describe('inbox form', () => {
  it('makes readable ids that are free', () => {
    expect(idOf('Website chat', 'chat', new Set())).toBe('website-chat');
    expect(idOf('Réclamations & Co.', 'email', new Set(['reclamations-co']))).toBe('reclamations-co-2');
    expect(idOf('الدعم', 'email', new Set(['email', 'email-2']))).toBe('email-3');
    expect(idOf('x'.repeat(90), 'chat', new Set())).toMatch(/^[a-z0-9-]{1,64}$/);
  });

  it('shows settings it does not know', () => {
    const keys = formOf('email', { imap_host: 'x', new_key: '1' }).flatMap((group) => group.fields.map((field) => field.key));
    expect(keys).toContain('new_key');
    expect(new Set(keys).size).toBe(keys.length);
    expect(formOf('fax', { number: '1' })).toEqual([{ title: 'Settings', fields: [{ key: 'number', label: 'number', rare: false }] }]);
  });
});
