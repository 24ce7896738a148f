import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { Status, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { isOn, millis } from '../live/cache';
import { useLive } from '../live/store';
import { wordOf } from '../queue/filter';
import { useFilter } from '../queue/useFilter';
import { channelName, ChannelIcon } from '../ui/Channel';
import { When } from '../ui/When';
import { Part } from './Part';

const none: readonly Conversation[] = [];

/** Everything that was talked about with the person, the last first. */
export function Conversations({ customerId, conversationId }: { customerId: string; conversationId: string }) {
  const conversations = useLive((s) => s.cache.conversations);
  const timeline = useLive((s) => s.cache.timelines.get(customerId));
  const fragments = timeline?.fragments ?? none;
  const rows = useMemo(
    () => [...conversations.values()].filter((row) => (timeline ? isOn(timeline, row.customerId) : row.customerId === customerId)).sort((a, b) => millis(b.lastAt) - millis(a.lastAt)),
    [conversations, timeline?.members, customerId],
  );
  return (
    <Part title={`Conversations (${rows.length})`}>
      <ul className="-mx-2 grid grid-cols-[minmax(0,1fr)] gap-0.5">
        {rows.map((row) => <Row key={row.id} row={row} current={row.id === conversationId} />)}
        {fragments.map((row) => (
          <li key={'part ' + row.id} className="flex min-h-10 items-center gap-2 px-2 py-1 leading-tight" title="Kept with somebody else. The address they wrote from came to this person.">
            <ChannelIcon channel={row.channel} /><span className="min-w-0 flex-1"><span className="block truncate text-[13px] font-medium">Part of a conversation</span><span className="text-xs text-muted">read-only · <When at={row.openedAt} /></span></span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Row({ row, current }: { row: Conversation; current: boolean }) {
  const { search } = useFilter();
  return (
    <li>
      <Link to="/c/$conversationId" params={{ conversationId: row.id }} search={search} aria-current={current ? 'page' : undefined} className="flex min-h-10 items-center gap-2 rounded-lg px-2 py-1 leading-tight hover:bg-sunken aria-[current=page]:bg-select">
        <ChannelIcon channel={row.channel} />
        <span className="min-w-0 flex-1">
          <span className="block truncate text-[13px] font-medium"><bdi>{row.subject || `${channelName(row.channel)} conversation`}</bdi></span>
          <span className="text-xs text-muted">{row.status === Status.UNSPECIFIED ? '' : wordOf(row.status)} · <When at={row.lastAt} /></span>
        </span>
      </Link>
    </li>
  );
}
