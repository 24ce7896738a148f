import { expect, test } from 'vitest';
import { inTurn } from '../src/conversation/turn';

test('orders for one thing go one after the other, also behind one that fails; those for another do not wait', async () => {
  const said: string[] = [];
  let answer = () => {};
  const slow = inTurn('a', () => new Promise<void>((_, refuse) => { said.push('close'); answer = () => refuse(new Error('refused')); }));
  const next = inTurn('a', async () => { said.push('open'); return 1; });
  await inTurn('b', async () => said.push('other'));
  expect(said).toEqual(['close', 'other']);
  answer();
  await expect(slow).rejects.toThrow('refused');
  expect(await next).toBe(1);
  expect(said).toEqual(['close', 'other', 'open']);
  expect(await inTurn('a', async () => 2)).toBe(2);
});
