import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ClaimSchema } from '../src/gen/weftline/inbox/v1/types_pb';
import { flagWords } from '../src/timeline/delivery';
import { firstFrom } from '../src/timeline/Flags';

describe('what mails carry', () => {
  it('names the first sender of a forwarded mail as what somebody says', () => {
    const claim = (address: string, name: string) => firstFrom(create(ClaimSchema, { address, name }));
    expect(claim('bob@example.net', 'Bob')).toBe('Said to be from: Bob <bob@example.net>. Not checked.');
    expect(claim('bob@example.net', '')).toBe('Said to be from: bob@example.net. Not checked.');
    expect(claim('', 'Byte, Bob')).toBe('Said to be from: Byte, Bob. Not checked.');
    expect(firstFrom(undefined)).toBe('');
  });

  it('has words for each label', () => {
    for (const flag of ['forwarded', 'signed', 'encrypted']) expect(flagWords[flag]?.plain, flag).toMatch(/\.$/);
  });
});
