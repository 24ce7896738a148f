import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { counter, lengthIn, refusedBy, tooLarge, tooMuch, windowLeft } from '../src/composer/reach';
import { CapabilitiesSchema, ReplyTargetSchema } from '../src/gen/weftline/inbox/v1/types_pb';
import { t0 } from './fixture';

const target = (more = {}) => create(ReplyTargetSchema, { handle: { id: 'h1' }, ...more });

describe('where a reply would go', () => {
  it('counts as the channel does', () => {
    expect([lengthIn('', 'a😀'), lengthIn('utf-16', 'a😀'), lengthIn('bytes', 'a😀')]).toEqual([2, 3, 5]);
  });
  it('says why nothing may be sent', () => {
    expect(refusedBy(target(), t0)).toBe('');
    expect(refusedBy(target({ optedOut: { wish: 'out', entryId: 'm1', at: timestampFromMs(t0) } }), t0)).toContain('opted out by a message');
    expect(refusedBy(target({ optedOut: { wish: 'in', at: timestampFromMs(t0) } }), t0)).toBe('');
    expect(refusedBy(target({ windowEndsAt: timestampFromMs(t0) }), t0 + 1)).toContain('nothing can be sent');
    expect(refusedBy(target({ windowEndsAt: timestampFromMs(t0), capabilities: { templates: true } }), t0 + 1)).toContain('only a template');
    expect(refusedBy(target({ windowEndsAt: timestampFromMs(t0) }), t0)).toBe('');
  });
  it('says how long is left', () => {
    expect(windowLeft(target({ windowEndsAt: timestampFromMs(t0 + 90 * 60_000) }), t0)).toBe('1 h');
    expect(windowLeft(target({ windowEndsAt: timestampFromMs(t0 + 40 * 60_000) }), t0)).toBe('40 min');
    expect(windowLeft(target(), t0)).toBe('');
  });
  it('refuses what the channel does not carry', () => {
    const can = create(CapabilitiesSchema, { textLimit: 3, textUnit: 'utf-16', parts: 2, attachments: true, attachmentsPerMessage: 1, attachmentLimit: 1048576n, attachmentTypes: ['image/*'] });
    const file = { name: 'a.png', type: 'image/png', size: 10 };
    expect(tooMuch(can, 'abcdef', [file])).toBe('');
    expect(tooMuch(can, 'abcde😀', [])).toContain('6');
    expect(tooMuch(can, '', [file, file])).toContain('1 files');
    expect(tooMuch(can, '', [{ ...file, size: 2_000_000 }])).toContain('1 MB');
    expect(tooMuch(can, '', [{ ...file, type: 'text/csv' }])).toContain('type');
    expect(tooMuch(create(CapabilitiesSchema), '', [file])).toContain('no files');
    expect(tooMuch(undefined, '', [file])).toBe('');
    expect(counter(can, 'abc')).toBe('3 / 6');
  });
  it('names the smaller of two limits of a file', () => {
    const file = { name: 'a.mov', type: 'video/quicktime', size: 27 * 1024 * 1024 };
    const upTo = (megabytes: number) => create(CapabilitiesSchema, { attachments: true, attachmentLimit: BigInt(megabytes * 1024 * 1024) });
    expect(tooLarge(upTo(10), file)).toBe('a.mov is larger than 10 MB, the most here.');
    expect(tooLarge(upTo(100), file)).toBe('a.mov is larger than 25 MB, the most here.');
    expect(tooMuch(upTo(0), '', [file])).toBe('a.mov is larger than 25 MB, the most here.');
    expect(tooMuch(undefined, '', [file])).toBe('a.mov is larger than 25 MB, the most here.');
    expect(tooLarge(upTo(100), { ...file, size: 25 * 1024 * 1024 })).toBe('');
  });
});
