import { Lock } from 'lucide-react';
import { Link } from '@tanstack/react-router';
import { Status } from '../gen/weftline/inbox/v1/types_pb';
import { useInboxName } from '../api/queries';
import { useLive } from '../live/store';
import { useFilter } from '../queue/useFilter';
import { wordOf } from '../queue/filter';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import type { Source } from './source';

type Props = { conversationId: string; channel: string; inboxId: string; current: boolean; source: Source };

/** Where another conversation of the same person begins, or several that are shown as one. */
export function Divider({ conversationId, channel, inboxId, current, source }: Props) {
  const now = useLive((s) => s.cache.conversations.get(conversationId));
  const fragment = source.fragments.some((one) => one.id === conversationId);
  const row = fragment ? undefined : source.live ? now : source.rowOf(conversationId);
  const parts = source.topics.find((topic) => topic.conversationIds.includes(conversationId))?.conversationIds.length ?? 1;
  const { search } = useFilter();
  const inbox = useInboxName();
  const by = channel || row?.channel || '';
  const subject = fragment ? 'Part of a conversation' : row?.subject || `${channelName(by)} conversation`;
  const words = <><ChannelIcon channel={by} /><span className="max-w-[38ch] truncate font-semibold"><bdi>{subject}</bdi></span></>;
  return (
    <div className="flex items-center gap-3 py-3">
      <span aria-hidden className={cx('h-px flex-1', current ? 'bg-accent-text/50' : 'bg-line-strong/40')} />
      <h2 className="flex max-w-[75%] min-w-0 items-center gap-1.5 text-xs">
        {current || fragment ? words : <Link to="/c/$conversationId" params={{ conversationId }} search={search} className="flex min-h-6 min-w-0 items-center gap-1.5 underline-offset-2 hover:underline">{words}</Link>}
        <span className="shrink-0 text-muted">· {row && row.status !== Status.UNSPECIFIED ? wordOf(row.status) : ''}{(inboxId || row?.inboxId) && <span className="hidden sm:inline"> · <bdi>{inbox(inboxId || row!.inboxId)}</bdi></span>}</span>
        {parts > 1 && <span className="shrink-0 text-muted" title="Conversations that are shown as one">· {parts} together</span>}
        {fragment && <span className="flex shrink-0 items-center gap-1 rounded bg-ink/8 px-1 text-muted" title="It is kept with somebody else. These messages are shown here because the address they were written with came to this person."><Lock size={11} aria-hidden />read-only: kept with somebody else</span>}
        {current && <span className="shrink-0 rounded bg-accent-soft px-1 text-accent-text">this one</span>}
      </h2>
      <span aria-hidden className={cx('h-px flex-1', current ? 'bg-accent-text/50' : 'bg-line-strong/40')} />
    </div>
  );
}
