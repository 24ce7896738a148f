import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';

/** What of the timeline is shown, and of when. */
export type View = {
  /** message, note, event, activity; none: all. A reply is a message. */
  readonly kinds: readonly string[];
  readonly channels: readonly string[];
  /** Show it exactly as it was then. */
  readonly asOf?: Moment;
  /** Begin here instead of at the newest. Excludes asOf. */
  readonly around?: Moment;
};

/** A protobuf timestamp's figures. */
export type Moment = { readonly seconds: bigint; readonly nanos: number };

export const wholeView: View = { kinds: [], channels: [] };

/** True when everything is shown, live. */
export const isWhole = (view: View): boolean => view.kinds.length === 0 && view.channels.length === 0 && !view.asOf && !view.around;

/** The kinds as the hub calls them. */
export const kindsAsked = (view: View): string[] => view.kinds.flatMap((kind) => (kind === 'message' ? ['message', 'reply'] : [kind]));

/** With a kind or channel that was not chosen, or without one that was. */
export function toggled(list: readonly string[], one: string): readonly string[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}

/** True when the view shows the entry, time aside. */
export function shows(view: View, entry: TimelineEntry): boolean {
  if (view.kinds.length > 0 && !view.kinds.includes(entry.body.case ?? '')) return false;
  return view.channels.length === 0 || view.channels.includes(entry.channel);
}

/** "2026-11-27T14:02" of the agent's clock as ms; undefined for what is no time. */
export function parseLocal(text: string): number | undefined {
  const at = text ? new Date(text.length === 10 ? text + 'T23:59:59.999' : text).getTime() : NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** ms as a date-time field wants it, in the agent's clock. */
export function toLocal(ms: number): string {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 16);
}
