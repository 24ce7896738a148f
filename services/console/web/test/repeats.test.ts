import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { RepeatDaySchema } from '../src/gen/weftline/identity/v1/types_pb';
import { mondayOf, rate, reasons, told, weeksOf, weekWord } from '../src/settings/repeats';

const day = (day: string, newChannel: bigint, newAgent = 0n) => create(RepeatDaySchema, { day, repeats: { total: newChannel + newAgent, newChannel, newAgent, conversations: 2n } });

describe('repeats by week', () => {
  it('begin on Monday, the newest first, also over the turn of a year', () => {
    expect(['2026-11-23', '2026-11-27', '2026-11-29', '2026-11-30', '2027-01-01'].map(mondayOf)).toEqual(['2026-11-23', '2026-11-23', '2026-11-23', '2026-11-30', '2026-12-28']);
    const weeks = weeksOf([day('2026-11-22', 1n), day('2026-11-23', 2n, 1n), day('2026-11-24', 3n)]);
    expect(weeks).toEqual([
      { monday: '2026-11-23', days: 2, total: 6, newConversation: 0, newChannel: 5, newAgent: 1, conversations: 4 },
      { monday: '2026-11-16', days: 1, total: 1, newConversation: 0, newChannel: 1, newAgent: 0, conversations: 2 },
    ]);
    expect(weekWord('2026-11-23')).toMatch(/23.*29/);
  });
  it('are told as a rate, and each in a sentence', () => {
    expect([rate({ total: 1, conversations: 3 }), rate({ total: 0, conversations: 3 }), rate({ total: 1, conversations: 500 }), rate({ total: 1, conversations: 0 })]).toEqual(['33', '0', 'fewer than 1', '']);
    const words = reasons.map(({ kind }) => told({ kind, joined: false }));
    expect(new Set([...words, told({ kind: 'new_conversation', joined: true })]).size).toBe(4);
  });
});
