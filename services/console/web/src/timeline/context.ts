import { createContext, useContext } from 'react';
import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';

/** What a line may say or do beyond itself. Steady while a timeline is on screen. */
export type TimelineContext = {
  /** The member the conversation on screen is kept with; entries of others are marked. */
  customerId: string;
  memberName(customerId: string): string;
  /** Shows the timeline as it was after this entry. */
  asOf?(entry: TimelineEntry): void;
  /** What was answered may not be sent again from the past. */
  past: boolean;
};

const Context = createContext<TimelineContext>({ customerId: '', memberName: () => '', past: false });

export const TimelineProvider = Context.Provider;
export const useTimeline = (): TimelineContext => useContext(Context);
