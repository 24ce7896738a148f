import { Link } from '@tanstack/react-router';
import { ArrowLeft, ChevronsUp, PanelRight, Tag, UserRound } from 'lucide-react';
import { useAgentName } from '../api/queries';
import { Priority, Status, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { millis } from '../live/cache';
import { called } from '../person/called';
import { useFilter } from '../queue/useFilter';
import { IconButton } from '../ui/Button';
import { channelName } from '../ui/Channel';
import { moment } from '../ui/When';
import { priorities } from './Header';
import { statusFaces } from './StatusMenu';

type Props = {
  /** As it was; undefined while it is loading. */
  row: Conversation | undefined;
  onCustomer(): void;
  drawer: boolean;
  beside: boolean;
};

/** The head of a conversation as it was: to be read. The past is not changed. */
export function PastHeader({ row, onCustomer, drawer, beside }: Props) {
  const { search } = useFilter();
  const agent = useAgentName();
  const { label, icon: Icon, tint } = statusFaces[row?.status ?? Status.UNSPECIFIED];
  const until = row?.status === Status.SNOOZED && row.snoozedUntil ? ` until ${moment(millis(row.snoozedUntil))}` : '';
  return (
    <header className="border-b px-3 py-2">
      <div className="flex items-center gap-2">
        <Link to="/inbox" search={search} aria-label="Back to the queue" className="-ms-1 grid size-8 place-items-center rounded-lg hover:bg-ink/7 min-[860px]:hidden"><ArrowLeft size={18} aria-hidden className="rtl:rotate-180" /></Link>
        <h1 className="min-w-0 flex-1 truncate text-[15px]">
          {row
            ? <><span className="font-semibold"><bdi>{called(row.customerName, row.customerId)}</bdi></span><span className="text-muted"> · <bdi>{row.subject || `${channelName(row.channel)} conversation`}</bdi></span></>
            : <span className="text-muted">Conversation</span>}
        </h1>
        <IconButton label={beside ? 'Customer' : 'Show the customer'} keys="p" aria-expanded={drawer || beside} onClick={onCustomer}><PanelRight size={17} aria-hidden className="rtl:rotate-180" /></IconButton>
      </div>
      {row && (
        <ul aria-label="The conversation as it was" className="mt-1.5 flex min-h-7 flex-wrap items-center gap-x-4 gap-y-1 text-[13px]">
          <li className="flex items-center gap-1"><Icon size={14} aria-hidden className={tint} /><span className="sr-only">Status: </span>{label}{until}</li>
          <li className="flex items-center gap-1"><UserRound size={14} aria-hidden />{row.assignee ? <><span className="sr-only">Assigned to </span><bdi>{agent(row.assignee)}</bdi></> : 'Unassigned'}</li>
          <li className="flex items-center gap-1"><ChevronsUp size={14} aria-hidden /><span className="sr-only">Priority: </span>{priorities.find(([value]) => value === row.priority)?.[1] ?? priorities.find(([value]) => value === Priority.NORMAL)![1]}</li>
          {row.tags.map((tag) => <li key={tag} className="flex items-center gap-1"><Tag size={12} aria-hidden className="text-muted" /><span className="sr-only">Tag: </span><bdi>{tag}</bdi></li>)}
        </ul>
      )}
    </header>
  );
}
