import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ChannelSchema, PasteSchema, SettingSchema } from '../src/gen/weftline/console/v1/console_pb';
import { groupsOf, idOf, inOrder, pasteOf, sendable, unplaced } from '../src/settings/fields';
import { reasonOf, waitingIn } from '../src/settings/health';

const setting = (more: MessageInitShape<typeof SettingSchema>) => create(SettingSchema, more);
const settings = [
  setting({ key: 'provider', group: 'Who', default: 'twilio' }),
  setting({ key: 'account', group: 'Who', when: { key: 'provider', is: ['twilio'] } }),
  setting({ key: 'smsc', group: 'SMSC', when: { key: 'provider', is: ['smpp'] } }),
  setting({ key: 'parts', group: 'Who', advanced: true }),
  setting({ key: 'secret', group: 'Who', secret: true, lines: true }),
];

describe('inbox form', () => {
  it('makes readable ids that are free', () => {
    expect(idOf('Website chat', 'chat', new Set())).toBe('website-chat');
    expect(idOf('Réclamations & Co.', 'email', new Set(['reclamations-co']))).toBe('reclamations-co-2');
    expect(idOf('الدعم', 'email', new Set(['email', 'email-2']))).toBe('email-3');
    expect(idOf('x'.repeat(90), 'chat', new Set())).toMatch(/^[a-z0-9-]{1,64}$/);
  });

  it('asks for what the other values call for, in groups, basics first', () => {
    const shape = (values: Record<string, string>) => groupsOf(settings, values).map((g) => [g.title, g.basic.map((s) => s.key), g.advanced.map((s) => s.key)]);
    expect(shape({})).toEqual([['Who', ['provider', 'account', 'secret'], ['parts']]]);
    expect(shape({ provider: 'smpp' })).toEqual([['Who', ['provider', 'secret'], ['parts']], ['SMSC', ['smsc'], []]]);
  });

  it('sends nothing that is not asked for, and empties what was there', () => {
    expect(sendable(settings, { provider: 'smpp', account: 'AC1', smsc: 'h:1', parts: '' }, { parts: '10' })).toEqual({ provider: 'smpp', smsc: 'h:1', parts: '' });
    expect(sendable(settings, { account: 'AC1', secret: '' }, {})).toEqual({ account: 'AC1' });
  });

  it('says what to enter at the provider; a secret only to who entered it', () => {
    const paste = [{ what: 'URL', where: 'there' }, { what: 'Word', where: 'beside', key: 'secret' }, { what: 'SMSC', key: 'smsc', when: { key: 'provider', is: ['smpp'] } }].map((one) => create(PasteSchema, one));
    expect(pasteOf(paste, settings, { secret: 'new\nold' }, 'https://hub/hooks').map((one) => [one.what, one.value, one.secret])).toEqual([['URL', 'https://hub/hooks', false], ['Word', 'new', true]]);
    expect(pasteOf(paste, settings, {}, '').map((one) => one.value)).toEqual(['', '']);
  });

  it('shows an error of a field that is not on screen', () => {
    expect(unplaced({ account: 'is missing', smsc: 'is wrong', name: 'is too long' }, settings, {})).toEqual(['smsc: is wrong']);
  });

  it('offers mail and chat first', () => {
    expect(inOrder(['api', 'chat', 'email', 'sms'].map((name) => create(ChannelSchema, { name }))).map((one) => one.name)).toEqual(['email', 'chat', 'api', 'sms']);
  });
});

describe('health of an inbox', () => {
  it('counts what waits', () => {
    expect(waitingIn({ waitingOut: 1n, setAside: 0n })).toEqual(['1 message waits to be sent']);
    expect(waitingIn({ waitingOut: 1200n, setAside: 2n })).toEqual([`${(1200).toLocaleString()} messages wait to be sent`, '2 inputs were put aside (hub poison)']);
    expect(waitingIn({})).toEqual([]);
  });
  it('gives the reason', () => {
    const inbox = { health: 'paused', healthDetail: '', paused: true, pausedInFile: false };
    expect(reasonOf(inbox)).toContain('goes out when');
    expect(reasonOf({ ...inbox, pausedInFile: true })).toContain('configuration file');
    expect(reasonOf({ ...inbox, paused: false, healthDetail: 'login refused' })).toBe('login refused');
  });
});
