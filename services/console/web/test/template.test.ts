import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { onlyTemplate } from '../src/composer/reach';
import { asRead, fill, inOrder, valuesOf, wrongIn } from '../src/composer/template';
import { TemplateTextSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { ReplyTargetSchema } from '../src/gen/weftline/inbox/v1/types_pb';
import { t0 } from './fixture';

describe('a template', () => {
  it('is filled in, and what is missing is seen', () => {
    expect(fill('Hello {{1}}, order {{ 2 }} of {{1}}', ['Ada', ''])).toBe('Hello Ada, order {{ 2 }} of Ada');
    expect(fill('{{1}}', ['{{2}} $& $1'])).toBe('{{2}} $& $1');
    expect(asRead({ header: 'Your order', body: 'Hi {{1}}', footer: '' }, ['Ada'])).toBe('Your order\n\nHi Ada');
  });
  it('goes out only when every place has a value the provider takes', () => {
    expect(valuesOf({ places: 2 }, [' Ada ', '7', 'more'])).toEqual(['Ada', '7']);
    expect(valuesOf({ places: 0 }, [])).toEqual([]);
    for (const values of [['Ada'], ['Ada', ' '], ['Ada', 'a\nb'], ['Ada', 'a    b'], ['Ada', 'x'.repeat(2001)]]) expect(valuesOf({ places: 2 }, values)).toBeUndefined();
    expect(wrongIn('a\tb')).not.toBe('');
    expect(wrongIn('')).toBe('');
  });
  it('stands behind those that can be sent when it cannot', () => {
    const list = [{ name: 'b', language: 'en' }, { name: 'a', language: 'en', unusable: 'a picture' }, { name: 'b', language: 'de' }].map((one) => create(TemplateTextSchema, one));
    expect(inOrder(list).map((one) => one.name + one.language)).toEqual(['bde', 'ben', 'aen']);
  });
  it('is all that goes out once the time is over', () => {
    const target = (more = {}) => create(ReplyTargetSchema, { handle: { id: 'h1' }, windowEndsAt: timestampFromMs(t0), capabilities: { templates: true }, ...more });
    expect(onlyTemplate(target(), t0)).toBe(false);
    expect(onlyTemplate(target(), t0 + 1)).toBe(true);
    expect(onlyTemplate(target({ capabilities: {} }), t0 + 1)).toBe(false);
    expect(onlyTemplate(target({ refused: 'another owner' }), t0 + 1)).toBe(false);
    expect(onlyTemplate(target({ optedOut: { wish: 'out' } }), t0 + 1)).toBe(false);
  });
});
