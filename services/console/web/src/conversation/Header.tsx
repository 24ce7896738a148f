import { Link } from '@tanstack/react-router';
import { ArrowLeft, ChevronDown, ChevronsUp, Eye, PanelRight, PencilLine, Plus, ShieldAlert, Tag, UserRound, X } from 'lucide-react';
import { useState } from 'react';
import { useAgentName, useAgents, useMe } from '../api/queries';
import { Priority, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { useActions } from '../keyboard/actions';
import { useLive } from '../live/store';
import { called } from '../person/called';
import { useFilter } from '../queue/useFilter';
import { assurances } from '../timeline/delivery';
import { Avatar } from '../ui/Avatar';
import { Button, IconButton } from '../ui/Button';
import { channelName } from '../ui/Channel';
import { Menu, MenuItem, MenuTitle } from '../ui/Menu';
import { addTag, assign, removeTag, setPriority } from './act';
import { MoreMenu } from './MoreMenu';
import { Spoke } from './Spoke';
import { StatusMenu } from './StatusMenu';

export function Header({ row, onCustomer, drawer, beside }: { row: Conversation; onCustomer(): void; drawer: boolean; beside: boolean }) {
  const { search } = useFilter();
  return (
    <header className="border-b px-3 py-2">
      <div className="flex items-center gap-2">
        <Link to="/inbox" search={search} aria-label="Back to the queue" className="-ms-1 grid size-8 place-items-center rounded-lg hover:bg-ink/7 min-[860px]:hidden"><ArrowLeft size={18} aria-hidden className="rtl:rotate-180" /></Link>
        <h1 className="min-w-0 flex-1 truncate text-[15px]">
          <span className="font-semibold"><bdi>{called(row.customerName, row.customerId)}</bdi></span>
          <span className="text-muted"> · <bdi>{row.subject || `${channelName(row.channel)} conversation`}</bdi></span>
        </h1>
        <Viewers conversationId={row.id} />
        <IconButton label={beside ? 'Customer' : 'Show the customer'} keys="p" aria-expanded={drawer || beside} onClick={onCustomer}><PanelRight size={17} aria-hidden className="rtl:rotate-180" /></IconButton>
      </div>
      <div className="mt-1.5 flex flex-wrap items-center gap-1.5">
        <StatusMenu row={row} />
        <AssignMenu row={row} />
        <PriorityMenu row={row} />
        <Tags row={row} />
        <MoreMenu row={row} />
        <Spoke row={row} />
        <LowAssurance row={row} />
      </div>
    </header>
  );
}

/** Nothing since the last proof shows that all of it was written by one person. */
function LowAssurance({ row }: { row: Conversation }) {
  if (row.assurance >= 2 || row.fragment) return null;
  const { label, plain } = assurances[row.assurance] ?? assurances[0];
  return (
    <span title={`${plain} Check who it is before you act on it.`} className="flex min-h-7 items-center gap-1 rounded-lg bg-warn-soft px-2 text-[13px] text-warn">
      <ShieldAlert size={14} aria-hidden /><span className="sr-only">How sure it is who wrote this: </span>{label} only
    </span>
  );
}

function Viewers({ conversationId }: { conversationId: string }) {
  const me = useMe();
  const viewers = useLive((s) => s.presence.get(conversationId))?.viewers.filter((viewer) => viewer.agentId !== me.id) ?? [];
  if (viewers.length === 0) return null;
  return (
    <ul aria-label="Also here" className="flex flex-wrap gap-1">
      {viewers.map((viewer) => (
        <li key={viewer.agentId} className="flex items-center gap-1 rounded-full bg-accent-soft py-0.5 ps-1 pe-2 text-xs font-medium text-accent-text">
          <Avatar name={viewer.name} size={18} /><bdi>{viewer.name}</bdi>
          {viewer.typing ? <><PencilLine size={12} aria-hidden /><span className="sr-only">is writing</span></> : <><Eye size={12} aria-hidden /><span className="sr-only">is looking</span></>}
        </li>
      ))}
    </ul>
  );
}

function AssignMenu({ row }: { row: Conversation }) {
  const [open, setOpen] = useState(false);
  const agents = useAgents().filter((agent) => !agent.disabled);
  const name = useAgentName();
  const me = useMe();
  useActions({ assign: () => setOpen(true) });
  return (
    <Menu
      label="Assign"
      open={open}
      onOpen={setOpen}
      trigger={<Button small title="Assign (a)"><UserRound size={14} aria-hidden />{row.assignee ? <><span className="sr-only">Assigned to </span><bdi>{name(row.assignee)}</bdi></> : 'Unassigned'}<ChevronDown size={13} aria-hidden /></Button>}
    >
      <MenuTitle>Assign to</MenuTitle>
      {row.assignee !== me.id && <MenuItem hint="i" icon={<Avatar name={me.name} size={18} />} onSelect={() => void assign(row.id, me.id)}>Me</MenuItem>}
      <MenuItem chosen={row.assignee === ''} onSelect={() => void assign(row.id, '')}>Nobody</MenuItem>
      {agents.filter((agent) => agent.id !== me.id || row.assignee === me.id).map((agent) => (
        <MenuItem key={agent.id} chosen={agent.id === row.assignee} icon={<Avatar name={agent.name} size={18} />} onSelect={() => void assign(row.id, agent.id)}><bdi>{agent.name}</bdi></MenuItem>
      ))}
    </Menu>
  );
}

export const priorities = [[Priority.URGENT, 'Urgent'], [Priority.HIGH, 'High'], [Priority.NORMAL, 'Normal'], [Priority.LOW, 'Low']] as const;

function PriorityMenu({ row }: { row: Conversation }) {
  const now = priorities.find(([value]) => value === row.priority)?.[1] ?? 'Normal';
  return (
    <Menu label="Priority" trigger={<Button small className={row.priority >= Priority.HIGH ? 'text-danger!' : ''}><ChevronsUp size={14} aria-hidden /><span className="sr-only">Priority: </span>{now}<ChevronDown size={13} aria-hidden /></Button>}>
      <MenuTitle>Priority</MenuTitle>
      {priorities.map(([value, label]) => <MenuItem key={value} chosen={label === now} onSelect={() => void setPriority(row.id, value)}>{label}</MenuItem>)}
    </Menu>
  );
}

/** At most this many characters, as the hub demands. */
const longestTag = 50;

function Tags({ row }: { row: Conversation }) {
  const [adding, setAdding] = useState(false);
  const [text, setText] = useState('');
  useActions({ tag: () => setAdding(true) });
  const add = (): void => {
    const tag = text.trim().replace(/^#/, '').slice(0, longestTag);
    if (tag) void addTag(row.id, tag);
    setText('');
  };
  return (
    <div className="flex flex-wrap items-center gap-1">
      {row.tags.map((tag) => (
        <span key={tag} className="flex min-h-7 items-center rounded-lg bg-ink/7 ps-2 text-[13px]">
          <Tag size={12} aria-hidden className="me-1 text-muted" /><bdi>{tag}</bdi>
          <button aria-label={`Remove the tag ${tag}`} onClick={() => void removeTag(row.id, tag)} className="grid size-7 place-items-center rounded-lg text-muted hover:text-ink"><X size={12} aria-hidden /></button>
        </span>
      ))}
      {adding ? (
        <input
          autoFocus
          aria-label="New tag"
          placeholder="Tag"
          maxLength={longestTag}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={() => { add(); setAdding(false); }}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === 'Enter') add();
            if (event.key === 'Escape') { event.stopPropagation(); setText(''); setAdding(false); }
          }}
          className="field min-h-7! w-28 py-0! text-[13px]"
        />
      ) : (
        <Button small look="ghost" className="text-muted!" title="Add a tag (l)" onClick={() => setAdding(true)}><Plus size={13} aria-hidden />Tag</Button>
      )}
    </div>
  );
}
