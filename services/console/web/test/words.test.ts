import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { toMail, toPlain, toSource } from '../src/composer/plain';
import { parse, presets } from '../src/conversation/snooze';
import { ActivitySchema, Direction } from '../src/gen/weftline/inbox/v1/types_pb';
import { linesOf, tell } from '../src/timeline/lines';
import { localesOf, times } from '../src/ui/locale';
import { entry } from './fixture';

describe('plain text of an answer', () => {
  const p = (...content: object[]) => ({ type: 'paragraph', content });
  const text = (words: string, href?: string) => ({ type: 'text', text: words, ...(href ? { marks: [{ type: 'link', attrs: { href } }] } : {}) });
  it('keeps lines, lists and addresses', () => {
    const doc = { type: 'doc', content: [
      p(text('Hi Ada,')), p(), p(text('see '), text('our page', 'https://x.example')),
      { type: 'orderedList', content: [{ type: 'listItem', content: [p(text('one'))] }, { type: 'listItem', content: [p(text('two')), { type: 'bulletList', content: [{ type: 'listItem', content: [p(text('inner'))] }] }] }] },
      { type: 'blockquote', content: [p(text('said'))] },
    ] };
    expect(toPlain(doc)).toBe('Hi Ada,\n\nsee our page (https://x.example)\n1. one\n2. two\n   - inner\n> said');
  });
  it('survives the way into the editor and out', () => {
    expect(toSource('a < b\n\nc')).toBe('<p>a &lt; b</p><p></p><p>c</p>');
    expect(toSource('<p>kept</p>')).toBe('<p>kept</p>');
    expect(toMail('<p>a</p><p></p>')).toBe('<p style="margin:0">a</p><p style="margin:0"><br></p>');
  });
});

describe('snooze words', () => {
  const now = new Date(2026, 10, 3, 10, 30); // a Tuesday
  it.each([
    ['tue 9am', new Date(2026, 10, 10, 9)], ['tomorrow 14:30', new Date(2026, 10, 4, 14, 30)], ['friday', new Date(2026, 10, 6, 9)],
    ['9:00', new Date(2026, 10, 4, 9)], ['3 days', new Date(2026, 10, 6, 10, 30)], ['in 2h', new Date(2026, 10, 3, 12, 30)], ['12am', new Date(2026, 10, 4, 0)],
  ])('%s', (words, at) => expect(parse(words, now)).toEqual(at));
  it.each(['', 'soon', 'today 9am', '25:00', '60 weeks', 'tue 9:75'])('refuses %j', (words) => expect(parse(words, now)).toBeUndefined());
  it('offers only times to come', () => {
    for (let hour = 0; hour < 24; hour++)
      for (const { at } of presets(new Date(2026, 10, 1 + (hour % 7), hour, 59))) expect(at.getTime()).toBeGreaterThan(new Date(2026, 10, 1 + (hour % 7), hour, 59).getTime());
  });
});

describe('timeline lines', () => {
  it('divide by conversation and gather activities', () => {
    const done = (n: number) => entry(n, { case: 'activity', value: { verb: 'closed', actor: 'a1' } });
    const other = { ...entry(4), conversationId: 'v2' };
    const kinds = linesOf([entry(1), done(2), done(3), other, entry(5)], []).map((line) => line.kind);
    expect(kinds).toEqual(['day', 'divider', 'entry', 'activities', 'divider', 'entry', 'divider', 'entry']);
  });
});

it('an imported reply does not follow one by somebody else', () => {
  const imported = (n: number, fromName: string) => ({ ...entry(n, { case: 'message', value: { direction: Direction.OUTBOUND, text: 'hi', author: 'import', fromName } }), channel: 'chat' });
  const follows = linesOf([imported(1, 'Grace'), imported(2, 'Grace'), imported(3, 'Heidi')], []).flatMap((line) => (line.kind === 'entry' ? [line.follows] : []));
  expect(follows).toEqual([false, true, false]);
});

describe('what an activity is told as', () => {
  const called = (id: string): string => (id === 'me' ? 'You' : id === 'lee' ? 'Lee' : id);
  const told = (verb: string, actor: string, value = ''): string => tell(create(ActivitySchema, { verb, actor, value, rule: 'agent' }), called, () => 'Tuesday');
  const verbs = ['opened', 'reopened', 'closed', 'snoozed', 'pending', 'assigned', 'priority', 'tagged', 'untagged', 'consent', 'attribute', 'linked', 'unlinked', 'refused', 'joined', 'unjoined', 'split', 'attributed', 'hold_placed', 'hold_lifted'];
  it.each(verbs)('%s reads the same of you and of Lee', (verb) => {
    expect(told(verb, 'me')).toBe(told(verb, 'lee').replace('Lee', 'You'));
    expect(told(verb, 'me')).not.toMatch(/^You \w+[^s]s /);
  });
  it('says who opted out, and who only noted it', () => {
    expect(told('consent', 'customer', 'out')).toBe('The customer opted out: nothing more is sent to this address');
    expect(told('consent', 'me', 'in')).toBe('You noted that the customer opted in again');
  });
  it('says whom in small letters', () => {
    expect(told('assigned', 'lee', 'me')).toBe('Lee assigned it to you');
    expect(told('assigned', 'me', 'lee')).toBe('You assigned it to Lee');
    expect(told('joined', 'me')).toBe('You showed this together with another conversation');
  });
});

describe('times', () => {
  const at = new Date(2026, 10, 28, 15, 42);
  const clock = (languages: readonly string[]): string => times({ hour: '2-digit', minute: '2-digit' }, localesOf(languages)).format(at);
  it('are written as the reader writes them', () => {
    expect(clock(['en-GB', 'en'])).toBe('15:42');
    expect(clock(['en-US'])).toMatch(/^03:42\sPM$/);
    expect(clock(['en-US@posix', 'de'])).toBe('15:42');
  });
  it('are as the browser writes them when it names no language', () => expect([localesOf([]), localesOf(undefined), localesOf(['en-US@posix'])]).toEqual([undefined, undefined, undefined]));
});
