import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nameOf } from '../src/api/names';
import { called, eraseWord } from '../src/person/called';
import { fits } from '../src/person/fits';
import { memberName } from '../src/person/members';
import { create } from '@bufbuild/protobuf';
import { CustomerSchema } from '../src/gen/weftline/inbox/v1/types_pb';

const ada = '01kaz3v9m5x2w8q4t6n0bq7f3k';
const bob = '01kaz3v9m5x2w8q4t6n0bqhd2z';

describe('the name of an author', () => {
  const known = { meId: 'me', agents: [{ id: 'me', name: 'Olu' }, { id: 'lee', name: 'Lee' }], tokens: [{ id: 't1', name: 'billing' }] };
  it.each([
    ['me', 'Olu', 'You'], ['lee', 'Leonard', 'Lee'], ['import', 'Grace', 'Grace'], ['grace@old.example', 'Grace', 'Grace'],
    ['import', '', 'import'], ['', '', 'Nobody'], ['', 'Grace', 'Grace'], ['system', 'Grace', 'Weftline'], ['token:t1', 'x', 'billing'], ['token:t2', 'x', 'API'],
  ])('%j who wrote as %j is %s', (id, written, shown) => expect(nameOf(id, known, written)).toBe(shown));
});

describe('a customer without a name', () => {
  it('is told apart from the next one', () => {
    expect([called('Visitor', ada), called('', bob)]).toEqual(['Visitor 7F3K', 'Visitor HD2Z']);
    expect([called('Ada', ada), called('ada@example.org', ada), called('Visitor', '')]).toEqual(['Ada', 'ada@example.org', 'Visitor']);
    expect(memberName({ id: ada, name: 'Visitor', erased: false })).toBe('Visitor 7F3K');
    expect(memberName({ id: ada, name: 'Visitor', erased: true })).toBe('Erased customer');
  });
  it('is found by what he is shown as', () => expect(fits(create(CustomerSchema, { id: ada, name: 'Visitor' }), 'visitor 7f3k')).toBe(true));
  it('is erased by the end of his id, which no other has', () => {
    expect([eraseWord('Visitor', ada), eraseWord('', bob)]).toEqual(['bq7f3k', 'bqhd2z']);
    expect(eraseWord(' Ada ', ada)).toBe('Ada');
  });
  it('has the name that the hub gives him', () => {
    const view = readFileSync(new URL('../../../conversation/internal/view/customer.go', import.meta.url), 'utf8');
    expect(called(/^const Nameless = "(.*)"$/m.exec(view)![1]!, ada)).toBe('Visitor 7F3K');
  });
});
