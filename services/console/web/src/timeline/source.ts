import { useInfiniteQuery, type InfiniteData } from '@tanstack/react-query';
import { useMemo } from 'react';
import { inbox } from '../api/client';
import type { GetTimelineResponse, Topic } from '../gen/weftline/inbox/v1/inbox_pb';
import type { Conversation, Customer, TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { byPosition, millis, type Timeline } from '../live/cache';
import { loadOlder } from '../live/load';
import { useLive } from '../live/store';
import { isWhole, kindsAsked, shows, type Moment, type View } from './view';

/** Where the lines of a timeline come from. */
export type Source = {
  /** Changes when other entries are shown, not when more are. */
  key: string;
  entries: readonly TimelineEntry[];
  older: boolean;
  newer: boolean;
  /** New entries appear by themselves and can be answered. */
  live: boolean;
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  members: readonly Customer[];
  topics: readonly Topic[];
  fragments: readonly Conversation[];
  rowOf(conversationId: string): Conversation | undefined;
};

const pageSize = 50;
const nothing = (): Promise<void> => Promise.resolve();

type Param = { token: string; newer: boolean };
type Pages = InfiniteData<GetTimelineResponse, Param>;

const stamp = (at: Moment) => ({ $typeName: 'google.protobuf.Timestamp' as const, ...at });
const keyOf = (at: Moment | undefined): string => (at ? `${at.seconds}.${at.nanos}` : '');

/** The run the live feed keeps. */
export function liveSource(customerId: string, timeline: Timeline): Source {
  const { entries, members, topics, fragments } = timeline;
  return {
    key: customerId, entries, members, topics, fragments, older: timeline.older !== '', newer: false, live: true,
    loadOlder: () => loadOlder(customerId), loadNewer: nothing,
    rowOf: (id) => useLive.getState().cache.conversations.get(id),
  };
}

/** Pages of a view that is not the whole timeline as it is now. What comes in meanwhile follows, unless the past is shown. */
export function usePages(customerId: string, view: View, live: Timeline | undefined) {
  const asOf = view.asOf;
  const query = useInfiniteQuery<GetTimelineResponse, Error, Pages, readonly unknown[], Param>({
    queryKey: ['timeline', customerId, view.kinds, view.channels, keyOf(asOf), keyOf(view.around)],
    enabled: !isWhole(view),
    initialPageParam: { token: '', newer: false },
    queryFn: ({ pageParam: { token, newer } }) => inbox.getTimeline({
      customerId, pageSize, pageToken: token, newer, kinds: kindsAsked(view), channels: [...view.channels],
      ...(asOf ? { asOfTime: stamp(asOf) } : {}), ...(view.around && !token ? { around: stamp(view.around) } : {}),
    }),
    getNextPageParam: (last) => (last.nextPageToken ? { token: last.nextPageToken, newer: false } : undefined),
    getPreviousPageParam: (first) => (first.newerPageToken ? { token: first.newerPageToken, newer: true } : undefined),
    staleTime: Infinity,
    gcTime: 0,
  });
  const { data, hasNextPage, hasPreviousPage, fetchNextPage, fetchPreviousPage } = query;
  const tail = asOf || view.around ? undefined : live?.entries;
  const source = useMemo<Source | undefined>(() => {
    if (!data) return undefined;
    const newest = data.pages[0]!;
    const entries = data.pages.toReversed().flatMap((page) => page.entries);
    const last = entries[entries.length - 1];
    const more = (tail ?? []).filter((entry) => shows(view, entry) && (!last || byPosition(entry, last) > 0) && millis(entry.recordedAt) > 0);
    const rows = new Map(data.pages.flatMap((page) => page.conversations.map((row) => [row.id, row] as const)));
    return {
      key: [customerId, view.kinds, view.channels, keyOf(asOf), keyOf(view.around)].join('|'),
      entries: hasPreviousPage ? entries : [...entries, ...more],
      older: hasNextPage, newer: hasPreviousPage, live: false,
      loadOlder: async () => { const answer = await fetchNextPage(); if (answer.isError) throw answer.error; },
      loadNewer: async () => { const answer = await fetchPreviousPage(); if (answer.isError) throw answer.error; },
      members: newest.members.length > 0 ? newest.members : newest.customer ? [newest.customer] : [],
      topics: newest.topics, fragments: newest.conversations.filter((row) => row.fragment),
      rowOf: (id) => rows.get(id) ?? (asOf ? undefined : useLive.getState().cache.conversations.get(id)),
    };
  }, [data, tail, view, customerId, hasNextPage, hasPreviousPage, fetchNextPage, fetchPreviousPage]);
  return { source, error: query.error, refetch: query.refetch };
}
