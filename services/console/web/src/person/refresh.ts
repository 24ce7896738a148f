import { forgetPersons } from '../api/queries';
import { loadTimeline } from '../live/load';
import { cacheNow, useLive } from '../live/store';
import { isOn } from '../live/cache';

/** After an order about who is who: everything on screen of these customers is asked for again. */
export function refreshPersons(...customerIds: string[]): void {
  forgetPersons();
  const timelines = new Map(cacheNow().timelines);
  const touched = [...timelines].filter(([key, timeline]) => customerIds.some((id) => id === key || isOn(timeline, id)));
  for (const [key, timeline] of touched) timelines.set(key, { ...timeline, doubtful: true });
  useLive.setState((s) => ({ cache: { ...s.cache, timelines } }));
  for (const [key] of touched) void loadTimeline(key).catch(() => {});
}
