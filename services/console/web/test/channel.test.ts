import { describe, expect, test } from 'vitest';
import { channelName, channelSigns } from '../src/ui/Channel';
import all from './channels.json';

// The list is compared with the hub's channels by a Go test, so a new channel comes here by itself.
describe('channels', () => {
  test.each(all)('%s has a sign and a name', (channel) => {
    const sign = channelSigns[channel];
    expect(sign, `${channel} has no entry in src/ui/Channel.tsx`).toBeDefined();
    expect(sign!.label.length).toBeGreaterThan(2);
    expect(channelName(channel)).toBe(sign!.label);
    expect(sign!.tint).toMatch(/^text-/);
  });

  test('no two have the same sign', () => {
    const icons = Object.entries(channelSigns).map(([, one]) => one.icon);
    expect(new Set(icons).size).toBe(icons.length);
  });

  test('one that is not known is still named', () => {
    expect(channelName('carrier_pigeon')).toBe('Carrier_pigeon');
    expect(channelName('')).toBe('Unknown channel');
  });
});
