import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { GetTimelineResponseSchema, ListConversationsResponseSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { Status, type TimelineEntry } from '../src/gen/weftline/inbox/v1/types_pb';
import { emptyCache, type Cache } from '../src/live/cache';
import { mergeHead, mergeList, mergeOlder, mergeRows } from '../src/live/snapshot';
import { rowsOf, type Filter } from '../src/queue/filter';
import { conversation, entry } from './fixture';

const all: Filter = { status: Status.OPEN, assignee: '', inboxId: '' };
const page = (entries: TimelineEntry[], nextPageToken = '') => create(GetTimelineResponseSchema, { entries, nextPageToken });
const ids = (cache: Cache): string[] => cache.timelines.get('c1')!.entries.map((e) => e.id);

describe('timeline pages', () => {
  it('join when they touch and replace when a gap would show', () => {
    let cache = mergeHead(emptyCache, 'c1', page([entry(5), entry(6)], 'p'));
    cache = mergeHead(cache, 'c1', page([entry(6), entry(7)], 'p2'));
    expect(ids(cache)).toEqual(['c1e5', 'c1e6', 'c1e7']);
    expect(cache.timelines.get('c1')!.older).toBe('p');
    cache = mergeHead(cache, 'c1', page([entry(20), entry(21)], 'p3'));
    expect(ids(cache)).toEqual(['c1e20', 'c1e21']);
    expect(cache.timelines.get('c1')!.older).toBe('p3');
  });

  it('grow backwards', () => {
    let cache = mergeHead(emptyCache, 'c1', page([entry(5)], 'p'));
    cache = mergeOlder(cache, 'c1', page([entry(3), entry(4)]));
    expect(ids(cache)).toEqual(['c1e3', 'c1e4', 'c1e5']);
    expect(cache.timelines.get('c1')!.older).toBe('');
  });
});

describe('queue pages', () => {
  const list = (rows: number[], nextPageToken = '') => create(ListConversationsResponseSchema, { conversations: rows.map((n) => conversation(n)), nextPageToken, asOf: 'k1' });

  it('show only what is known to be complete, newest first', () => {
    let cache = mergeRows(emptyCache, [conversation(2)]);
    expect(rowsOf(cache, all)).toEqual([]);
    cache = mergeList(cache, all, list([9, 8], 'more'), true);
    expect(rowsOf(cache, all).map((row) => row.id)).toEqual(['v9', 'v8']);
    cache = mergeList(cache, all, list([7, 2]), false);
    expect(rowsOf(cache, all).map((row) => row.id)).toEqual(['v9', 'v8', 'v7', 'v2']);
    expect(cache.cursor).toBe('k1');
  });

  it('ask again for rows the hub no longer lists', () => {
    const cache = mergeList(mergeRows(emptyCache, [conversation(3)]), all, list([9, 8]), true);
    expect([...cache.stale]).toEqual(['v3']);
  });

  it('never go back behind a live event', () => {
    const live = mergeRows(emptyCache, [conversation(9, { version: 5n, subject: 'live' })]);
    expect(mergeList(live, all, list([9]), true).conversations.get('v9')?.subject).toBe('live');
  });
});
