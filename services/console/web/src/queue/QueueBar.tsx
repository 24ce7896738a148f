import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ChevronDown, ListFilter } from 'lucide-react';
import { inboxesQuery, useMe } from '../api/queries';
import type { Counts } from '../gen/weftline/inbox/v1/inbox_pb';
import { useLive } from '../live/store';
import { Button } from '../ui/Button';
import { ChannelIcon } from '../ui/Channel';
import { Menu, MenuItem, MenuTitle } from '../ui/Menu';
import type { Scope } from './filter';
import { useFilter } from './useFilter';

const scopes: readonly (readonly [Scope, string])[] = [['mine', 'Mine'], ['unassigned', 'Unassigned'], ['all', 'All']];
const statuses = [['open', 'Open'], ['pending', 'Pending'], ['snoozed', 'Snoozed'], ['closed', 'Closed'], ['any', 'Any status']] as const;

/** Whose conversations, in which state, by which inbox. All of it is in the URL. */
export function QueueBar() {
  const { scope, status, search } = useFilter();
  const counts = useLive((s) => s.counts);
  const me = useMe();
  const navigate = useNavigate();
  const inboxes = useQuery(inboxesQuery).data ?? [];
  const inbox = inboxes.find((one) => one.id === search.inbox);
  const choose = (change: { status?: string | undefined; inbox?: string | undefined }): void => {
    const { status: nextStatus, inbox: nextInbox } = { status, inbox: search.inbox, ...change };
    void navigate({
      to: '/inbox',
      search: { ...(search.scope ? { scope: search.scope } : {}), ...(nextStatus && nextStatus !== 'open' ? { status: nextStatus } : {}), ...(nextInbox ? { inbox: nextInbox } : {}) },
    });
  };
  return (
    <header className="border-b px-3 pt-2.5 pb-2">
      <div className="mb-2 flex items-center gap-1">
        <h1 className="flex-1 truncate text-[15px] font-semibold">{statuses.find(([key]) => key === status)?.[1]} conversations</h1>
        <Menu
          label="Status"
          trigger={<Button small look="ghost"><ListFilter size={14} aria-hidden /><span className="sr-only">Status: </span>{statuses.find(([key]) => key === status)?.[1]}<ChevronDown size={13} aria-hidden /></Button>}
        >
          <MenuTitle>Status</MenuTitle>
          {statuses.map(([key, label]) => (
            <MenuItem key={key} chosen={key === status} hint={total(counts, key)} onSelect={() => choose({ status: key })}>{label}</MenuItem>
          ))}
          {inboxes.length > 1 && <MenuTitle>Inbox</MenuTitle>}
          {inboxes.length > 1 && <MenuItem chosen={!search.inbox} onSelect={() => choose({ inbox: undefined })}>Every inbox</MenuItem>}
          {inboxes.length > 1 && inboxes.map((one) => (
            <MenuItem key={one.id} chosen={one.id === search.inbox} icon={<ChannelIcon channel={one.channel} />} hint={count(counts?.openByInbox[one.id])} onSelect={() => choose({ inbox: one.id })}><bdi>{one.name}</bdi></MenuItem>
          ))}
        </Menu>
      </div>
      <nav aria-label="Whose conversations" className="grid grid-cols-3 gap-1 rounded-lg bg-ink/6 p-0.5">
        {scopes.map(([key, label]) => (
          <Link
            key={key}
            to="/inbox"
            search={{ ...search, scope: key }}
            aria-current={scope === key ? 'true' : undefined}
            className="flex min-h-7 items-center justify-center gap-1 rounded-md px-1 text-[13px] font-medium text-muted hover:text-ink aria-[current=true]:bg-raised aria-[current=true]:text-ink aria-[current=true]:shadow-sm"
          >
            {label}<span className="text-xs font-semibold tabular-nums">{status === 'open' && !search.inbox ? open(counts, key, me.id) : ''}</span>
          </Link>
        ))}
      </nav>
      {inbox && <p className="mt-1.5 flex items-center gap-1 text-xs text-muted">Only <ChannelIcon channel={inbox.channel} size={12} /><bdi>{inbox.name}</bdi> · <button className="min-h-6 underline" onClick={() => choose({ inbox: undefined })}>show every inbox</button></p>}
    </header>
  );
}

const count = (value: bigint | undefined): string => (value === undefined ? '' : String(value));

function open(counts: Counts | undefined, scope: Scope, me: string): string {
  if (!counts) return '';
  return scope === 'mine' ? count(counts.openByAssignee[me] ?? 0n) : count(scope === 'unassigned' ? counts.openUnassigned : counts.open);
}

function total(counts: Counts | undefined, status: string): string {
  return status === 'any' || !counts ? '' : count(counts[status as 'open' | 'pending' | 'snoozed' | 'closed']);
}
