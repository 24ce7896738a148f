import type { Side } from '../gen/weftline/identity/v1/types_pb';
import { Avatar } from '../ui/Avatar';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import { When } from '../ui/When';
import { called } from './called';
import { HandleLine } from './HandleLine';
import { memberName } from './members';

const figures = (side: Side): [bigint, string, string][] => [
  [side.messages, 'message', 'messages'],
  [side.conversations, 'conversation', 'conversations'],
  [side.openConversations, 'open', 'open'],
];

/** One side of a preview, or its result. */
export function SideColumn({ title, side, result }: { title: string; side: Side | undefined; result?: boolean }) {
  const person = side?.person;
  if (!side || !person) return null;
  const name = called(person.name, person.id);
  return (
    <section aria-label={title} className={cx('min-w-0 rounded-xl border p-3', result ? 'border-2 border-accent-text/60 bg-accent-soft/40' : 'bg-panel')}>
      <p className="mb-2 text-xs font-semibold text-muted">{title}</p>
      <div className="mb-2 flex items-center gap-2">
        <Avatar name={name} of={person.id} size={34} />
        <div className="min-w-0">
          <h3 className="truncate font-semibold"><bdi>{name}</bdi></h3>
          <p className="text-xs text-muted">{side.firstAt ? <>Since <When at={side.firstAt} /></> : 'Nothing said yet'}{side.lastAt && <> · last <When at={side.lastAt} /></>}</p>
        </div>
      </div>
      <dl className="mb-3 grid grid-cols-3 gap-1 text-center">
        {figures(side).map(([n, one, many]) => (
          <div key={one} className="flex flex-col-reverse rounded-lg bg-ink/5 px-1 py-1.5"><dt className="text-xs text-muted">{n === 1n ? one : many}</dt><dd className="font-semibold">{String(n)}</dd></div>
        ))}
      </dl>
      <h4 className="mb-1 text-xs font-semibold text-muted">Addresses</h4>
      {person.members.map((member) => (
        <div key={member.customer?.id} className="mb-2">
          {person.members.length > 1 && <p className="text-xs font-medium"><bdi>{memberName(member.customer && { id: member.customer.id, name: member.customer.name, erased: member.erased })}</bdi></p>}
          {member.erased ? <p className="text-xs text-muted">Nothing is left of this customer.</p> : (
            <ul className="grid grid-cols-[minmax(0,1fr)] gap-1.5">
              {member.handles.map((handle) => <li key={handle.handle?.id} className="flex"><HandleLine of={handle} /></li>)}
              {member.handles.length === 0 && <li className="text-xs text-muted">None.</li>}
            </ul>
          )}
        </div>
      ))}
      {side.open.length > 0 && (
        <>
          <h4 className="mt-3 mb-1 text-xs font-semibold text-muted">Open conversations</h4>
          <ul className="grid grid-cols-[minmax(0,1fr)] gap-1">
            {side.open.map((row) => (
              <li key={row.id} className="flex items-center gap-1.5 text-[13px]">
                <ChannelIcon channel={row.channel} /><span className="min-w-0 flex-1 truncate"><bdi>{row.subject || row.preview || `${channelName(row.channel)} conversation`}</bdi></span><When at={row.lastAt} className="shrink-0 text-xs text-muted" />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
