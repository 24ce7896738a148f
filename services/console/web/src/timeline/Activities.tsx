import { useAgentName } from '../api/queries';
import type { TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { millis } from '../live/cache';
import { moment, When } from '../ui/When';
import { tell } from './lines';

/** What happened between the words, small. */
export function Activities({ entries }: { entries: readonly TimelineEntry[] }) {
  const name = useAgentName();
  return (
    <ul className="mx-auto max-w-[56ch] py-1 text-center text-xs text-muted">
      {entries.map((entry) => (
        <li key={entry.id}>
          <bdi>{entry.body.case === 'activity' ? tell(entry.body.value, name, (at) => moment(millis(at))) : ''}</bdi> · <When at={entry.recordedAt} />
        </li>
      ))}
    </ul>
  );
}
