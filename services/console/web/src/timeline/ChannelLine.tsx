import { useInboxName } from '../api/queries';
import { channelName, ChannelIcon } from '../ui/Channel';

/** Where a conversation goes on over another channel. */
export function ChannelLine({ channel, inboxId }: { channel: string; inboxId: string }) {
  const inbox = useInboxName();
  return (
    <p className="flex items-center gap-3 py-1.5 text-xs text-muted">
      <span aria-hidden className="h-px flex-1 border-t border-dashed border-line-strong/50" />
      <span className="flex items-center gap-1.5"><ChannelIcon channel={channel} />goes on by <span aria-hidden>{channelName(channel)}</span>{inboxId && <> · <bdi>{inbox(inboxId)}</bdi></>}</span>
      <span aria-hidden className="h-px flex-1 border-t border-dashed border-line-strong/50" />
    </p>
  );
}
