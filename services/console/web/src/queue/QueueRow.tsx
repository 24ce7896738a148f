import { AlarmClock, ChevronsUp, Clock3, Eye, PencilLine } from 'lucide-react';
import { memo } from 'react';
import { useAgentName } from '../api/queries';
import { Priority, Status, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import type { Presence } from '../gen/weftline/realtime/v1/frame_pb';
import { millis } from '../live/cache';
import { called } from '../person/called';
import { Avatar } from '../ui/Avatar';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import { previewOf } from './preview';
import { moment, span, useNow, When } from '../ui/When';

/** Every row is this high, in px: the list needs no measuring. */
export const rowHeight = 88;

type Props = {
  row: Conversation; top: number; index: number; total: number; open: boolean; active: boolean;
  seen: number; presence: Presence | undefined; meId: string; onOpen(id: string): void;
};

export const QueueRow = memo(function QueueRow({ row, top, index, total, open, active, seen, presence, meId, onOpen }: Props) {
  const name = useAgentName();
  const customerName = called(row.customerName, row.customerId);
  const unread = row.waitingSince !== undefined && Number(row.version) > seen;
  const others = presence?.viewers.filter((viewer) => viewer.agentId !== meId) ?? [];
  const typist = others.find((viewer) => viewer.typing);
  return (
    <div
      id={'row-' + row.id}
      role="option"
      aria-selected={open}
      aria-posinset={index + 1}
      aria-setsize={total}
      onClick={() => onOpen(row.id)}
      style={{ height: rowHeight, transform: `translateY(${top}px)` }}
      className={cx(
        'absolute inset-x-0 top-0 flex cursor-pointer gap-2.5 border-b px-3 py-2.5 hover:bg-sunken',
        open && 'bg-select! shadow-[inset_3px_0_0_var(--accent)] rtl:shadow-[inset_-3px_0_0_var(--accent)]',
        active && !open && 'bg-sunken shadow-[inset_3px_0_0_var(--line-strong)] rtl:shadow-[inset_-3px_0_0_var(--line-strong)]',
      )}
    >
      <div className="relative mt-0.5 h-fit">
        <Avatar name={customerName} of={row.customerId} size={34} />
        <span className="absolute -end-1.5 -bottom-2 grid size-[18px] place-items-center rounded-full bg-panel ring-1 ring-line"><ChannelIcon channel={row.channel} size={11} /></span>
      </div>
      <div className="min-w-0 flex-1 leading-snug">
        <div className="flex items-baseline gap-1.5">
          {unread && <span className="size-2 shrink-0 self-center rounded-full bg-accent-text"><span className="sr-only">Unread. </span></span>}
          <span className={cx('min-w-0 flex-1 truncate', unread ? 'font-bold' : 'font-semibold')}><bdi>{customerName}</bdi></span>
          <Due row={row} />
        </div>
        <div className={cx('truncate text-[13px]', unread && 'font-semibold')}><bdi>{row.subject || `${channelName(row.channel)} conversation`}</bdi></div>
        <div className="flex items-center gap-1.5 text-[13px] text-muted">
          {typist || presence?.customerTyping
            ? <span className="flex min-w-0 flex-1 items-center gap-1 truncate text-accent-text italic"><PencilLine size={12} aria-hidden />{typist ? <><bdi>{typist.name}</bdi> is writing…</> : 'Customer is typing…'}</span>
            : <span className="min-w-0 flex-1 truncate"><bdi>{previewOf(row)}</bdi></span>}
          {others.length > 0 && <span title={others.map((o) => o.name).join(', ')} className="flex items-center text-accent-text"><Eye size={13} aria-hidden /><span className="sr-only">Looked at by {others.map((o) => o.name).join(', ')}</span></span>}
          {row.priority >= Priority.HIGH && <span className="flex items-center text-danger" title={row.priority === Priority.URGENT ? 'Urgent' : 'High priority'}><ChevronsUp size={14} aria-hidden /><span className="sr-only">{row.priority === Priority.URGENT ? 'Urgent' : 'High priority'}</span></span>}
          {row.assignee && <span className="max-w-20 shrink-0 truncate text-xs"><span className="sr-only">Assigned to </span><bdi>{name(row.assignee)}</bdi></span>}
        </div>
      </div>
    </div>
  );
});

/** The one time that counts: until when it sleeps, since when the customer waits, or when it last moved. */
function Due({ row }: { row: Conversation }) {
  const now = useNow();
  if (row.status === Status.SNOOZED && row.snoozedUntil)
    return <span className="flex shrink-0 items-center gap-1 text-xs text-muted"><AlarmClock size={12} aria-hidden /><span className="sr-only">Snoozed until </span>{moment(millis(row.snoozedUntil), now)}</span>;
  if (row.waitingSince && row.status !== Status.CLOSED) {
    const waits = now - millis(row.waitingSince);
    return (
      <span title="The customer waits for an answer" className={cx('flex shrink-0 items-center gap-1 text-xs font-medium', waits > 4 * 3_600_000 ? 'text-danger' : waits > 1_800_000 ? 'text-warn' : 'text-muted')}>
        <Clock3 size={12} aria-hidden /><span className="sr-only">Waiting </span><bdi>{span(waits)}</bdi>
      </span>
    );
  }
  return <When at={row.lastAt} short className="shrink-0 text-xs text-muted" />;
}
