import { expect, it } from 'vitest';
import { pagesFor } from '../src/settings/pages';

const labels = (owner: boolean): string[] => pagesFor(owner).map((page) => page.label);

it('offers an agent no page that the hub keeps for owners', () => {
  expect(labels(true)).toHaveLength(7);
  expect(labels(true).filter((label) => !labels(false).includes(label))).toEqual(['API tokens', 'Audit log']);
});
