import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { ChannelSchema, PasteSchema, SettingSchema } from '../src/gen/weftline/console/v1/console_pb';
import { groupsOf, idOf, inOrder, pasteOf, sendable, unplaced } from '../src/settings/fields';
import { faceOf, reasonOf, waitingIn, savedWords } from '../src/settings/health';

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

  it('writes an address with what stands behind it, and names a secret that is not known any more', () => {
    const paste = [{ what: 'Plain', tail: '/mime' }, { what: 'Secret', tail: '/{secret}' }].map((one) => create(PasteSchema, one));
    const named = [...settings.filter((one) => one.key !== 'secret'), setting({ key: 'secret', label: 'Webhook secret', secret: true })];
    expect(pasteOf(paste, named, { secret: 'a:b c' }, 'https://hub/h').map((one) => one.value)).toEqual(['https://hub/h/mime', 'https://hub/h/a%3Ab']);
    expect(pasteOf(paste, named, {}, 'https://hub/h').map((one) => one.value)[1]).toBe('https://hub/h/<Webhook secret>');
  });

  it('does not ask for what hangs on a setting that is not asked for', () => {
    const nested = [setting({ key: 'way', default: 'imap' }), setting({ key: 'who', when: { key: 'way', is: ['hook'] } }), setting({ key: 'topic', when: { key: 'who', is: ['ses'] } })];
    const asked = (values: Record<string, string>) => groupsOf(nested, values).flatMap((g) => g.basic.map((s) => s.key));
    expect(asked({ way: 'hook', who: 'ses' })).toEqual(['way', 'who', 'topic']);
    expect(asked({ who: 'ses' })).toEqual(['way']);
    expect(sendable(nested, { who: 'ses', topic: 'arn' }, {})).toEqual({});
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
  it('does not call working what was saved although it did not connect', () => {
    expect(savedWords({ ok: false })).toBe('Saved, but it does not work yet. Its card under Inboxes says why.');
    expect(savedWords({ ok: true })).toContain('works from now on');
    expect(savedWords(undefined)).toContain('works from now on');
  });
  it('gives the reason', () => {
    const inbox = { health: 'paused', healthDetail: '', paused: true, pausedInFile: false, webhookUrl: '' };
    expect(reasonOf(inbox)).toContain('goes out when');
    expect(reasonOf({ ...inbox, pausedInFile: true })).toContain('configuration file');
    expect(reasonOf({ ...inbox, paused: false, healthDetail: 'login refused' })).toBe('login refused');
    expect(reasonOf({ ...inbox, health: 'ok', paused: false })).toBe('');
  });
  it('does not call working what nobody has posted to yet', () => {
    const inbox = { health: 'ok', healthDetail: '', paused: false, pausedInFile: false, webhookUrl: 'https://hub/hooks/x' };
    expect(faceOf(inbox).label).toBe('Ready');
    expect(reasonOf(inbox)).toContain('first message');
    expect(faceOf({ ...inbox, webhookUrl: '' }).label).toBe('Working');
    expect(faceOf({ ...inbox, lastIn: timestampFromMs(1) }).label).toBe('Working');
    expect(faceOf({ ...inbox, health: 'needs_attention' }).label).toBe('Needs attention');
  });
});
