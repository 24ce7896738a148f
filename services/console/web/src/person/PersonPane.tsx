import { BadgeCheck, FileArchive, Merge, MoreHorizontal, Scale, Trash2, X } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { describe } from '../api/error';
import { Attributes } from '../customer/Attributes';
import type { HandleEvidence, Member } from '../gen/weftline/identity/v1/types_pb';
import { useActions } from '../keyboard/actions';
import { useLive } from '../live/store';
import { Avatar } from '../ui/Avatar';
import { IconButton } from '../ui/Button';
import { Menu, MenuItem } from '../ui/Menu';
import { When } from '../ui/When';
import { called, eraseWord } from './called';
import { Consents } from './Consents';
import { Conversations } from './Conversations';
import { HandleItem } from './HandleItem';
import { Holds } from './Holds';
import { conflictsOf, memberName } from './members';
import { Merges } from './Merges';
import { Part } from './Part';
import { ProofLine } from './ProofLine';
import { RepeatMeter } from './RepeatMeter';
import { Suggestions } from './Suggestions';
import { usePerson } from './usePerson';

const NewConversation = lazy(() => import('../conversation/NewConversation').then((m) => ({ default: m.NewConversation })));
const MergeWith = lazy(() => import('./MergeWith').then((m) => ({ default: m.MergeWith })));
const MoveDialog = lazy(() => import('./MoveDialog').then((m) => ({ default: m.MoveDialog })));
const ProofDialog = lazy(() => import('./ProofDialog').then((m) => ({ default: m.ProofDialog })));
const ExportDialog = lazy(() => import('./ExportDialog').then((m) => ({ default: m.ExportDialog })));
const EraseDialog = lazy(() => import('./EraseDialog').then((m) => ({ default: m.EraseDialog })));
const HoldDialog = lazy(() => import('./HoldDialog').then((m) => ({ default: m.HoldDialog })));

type Over = { what: 'merge' | 'export' | 'erase' | 'hold' | 'prove-other' } | { what: 'write' | 'move' | 'prove'; handle: HandleEvidence; customerId: string };

/** Who it is: everybody he is, his addresses and how sure we are of each, what we noted, what else was said. */
export function PersonPane({ customerId, conversationId, onClose }: { customerId: string; conversationId: string; onClose?: () => void }) {
  const customer = useLive((s) => s.cache.customers.get(customerId));
  const { person, partly, error, unable } = usePerson(customerId);
  const [over, setOver] = useState<Over | undefined>();
  const close = (): void => setOver(undefined);
  const own = person?.members.find((member) => member.customer?.id === customerId);
  const able = !partly && own?.erased !== true;
  useActions({ merge: () => (able ? setOver({ what: 'merge' }) : false) });
  if (!person || !customer) return <div className="p-4"><div className="skeleton mb-3 h-12" /><div className="skeleton h-24" /></div>;
  const members = person.members;
  const ids = members.map((member) => member.customer?.id ?? '');
  const name = called(person.name || customer.name, customerId);
  const addressOf = (id: string): string => members.flatMap((member) => member.handles).find((one) => one.handle?.id === id)?.handle?.address ?? '';
  const living = members.filter((member) => !member.erased);
  return (
    <div className="p-4">
      <div className="mb-4 flex items-start gap-2">
        <Avatar name={name} of={customerId} size={44} />
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-[15px] font-semibold"><bdi>{living.length === 0 ? 'Erased customer' : name}</bdi></h2>
          <p className="text-xs text-muted">{members.length > 1 ? `One person, ${members.length} customers` : <>Customer since <When at={customer.createdAt} /></>}</p>
        </div>
        {able && (
          <Menu label="What to do with this person" trigger={<IconButton label="More about this person"><MoreHorizontal size={16} aria-hidden /></IconButton>}>
            <MenuItem icon={<Merge size={14} />} hint="m" onSelect={() => setOver({ what: 'merge' })}>Merge with…</MenuItem>
            <MenuItem icon={<BadgeCheck size={14} />} onSelect={() => setOver({ what: 'prove-other' })}>Verify an address he names…</MenuItem>
            <MenuItem icon={<FileArchive size={14} />} onSelect={() => setOver({ what: 'export' })}>Export…</MenuItem>
            <MenuItem icon={<Scale size={14} />} onSelect={() => setOver({ what: 'hold' })}>Legal hold…</MenuItem>
            <MenuItem icon={<Trash2 size={14} />} onSelect={() => setOver({ what: 'erase' })}>Erase…</MenuItem>
          </Menu>
        )}
        {onClose && <IconButton label="Hide the customer" keys="p" onClick={onClose}><X size={16} aria-hidden /></IconButton>}
      </div>
      {unable && <p className="mb-4 rounded-lg bg-sunken px-2.5 py-1.5 text-xs text-muted">This hub does not offer merging, evidence and erasure.</p>}
      {error !== undefined && !unable && <p role="alert" className="mb-4 rounded-lg bg-danger-soft px-2.5 py-1.5 text-xs text-danger">Only what the timeline tells is shown. {describe(error)}</p>}
      <Holds of={person.holds} />
      {!partly && <Suggestions customerId={customerId} members={ids} />}
      <Part title="Addresses">
        <ProofLine about={customerId} onOpen={() => setOver({ what: 'prove-other' })} />
        {members.map((member) => (
          <MemberPart key={member.customer?.id} member={member} alone={members.length === 1} open={member.customer?.id === customerId} bare={partly} addressOf={addressOf} onOver={setOver} />
        ))}
      </Part>
      <Consents of={customer} addressOf={addressOf} />
      {living.length > 0 && <Part title="Attributes"><Attributes customer={{ ...customer, attributes: person.attributes }} conflicts={conflictsOf(person)} nameOf={(id) => memberName(members.find((member) => member.customer?.id === id)?.customer)} /></Part>}
      <RepeatMeter of={person.repeats} />
      <Conversations customerId={customerId} conversationId={conversationId} />
      {(person.links.length > 0 || person.formerLinks.length > 0) && <Part title="Merges"><Merges person={person} /></Part>}
      <Suspense fallback={null}>
        {over?.what === 'write' && over.handle.handle && <NewConversation customer={{ ...customer, id: over.customerId }} handle={over.handle.handle} onClose={close} />}
        {over?.what === 'move' && <MoveDialog customerId={over.customerId} handle={over.handle} onClose={close} />}
        {over?.what === 'prove' && <ProofDialog customerId={over.customerId} handle={over.handle} onClose={close} />}
        {over?.what === 'prove-other' && <ProofDialog customerId={customerId} onClose={close} />}
        {over?.what === 'merge' && <MergeWith customerId={customerId} members={ids} name={name} onClose={close} />}
        {over?.what === 'export' && <ExportDialog person={person} onClose={close} />}
        {over?.what === 'erase' && <EraseDialog customerId={customerId} name={name} word={eraseWord(person.name || customer.name, customerId)} onClose={close} />}
        {over?.what === 'hold' && <HoldDialog members={members} onClose={close} />}
      </Suspense>
    </div>
  );
}

type MemberProps = { member: Member; alone: boolean; open: boolean; bare: boolean; addressOf(handleId: string): string; onOver(over: Over): void };

function MemberPart({ member, alone, open, bare, addressOf, onOver }: MemberProps) {
  const customerId = member.customer?.id ?? '';
  const shown = memberName({ id: customerId, name: member.customer?.name ?? '', erased: member.erased });
  if (member.erased) return <p className="mb-2 rounded-lg bg-sunken px-2 py-1.5 text-[13px] text-muted">{alone ? 'This customer was erased. Nothing else is known of him.' : 'A customer of this person was erased. Nothing else is known of him.'}</p>;
  return (
    <div className={alone ? '' : 'mb-3'}>
      {!alone && <h4 className="mb-1 flex items-baseline gap-1.5 text-[13px] font-medium"><bdi className="truncate">{shown}</bdi>{open && <span className="shrink-0 rounded bg-accent-soft px-1 text-xs text-accent-text">this one</span>}</h4>}
      <ul className="grid gap-1.5">
        {member.handles.map((one) => one.handle && (
          <HandleItem key={one.handle.id} of={one} customerId={customerId} addressOf={addressOf} bare={bare} onWrite={() => onOver({ what: 'write', handle: one, customerId })} onMove={() => onOver({ what: 'move', handle: one, customerId })} onProve={() => onOver({ what: 'prove', handle: one, customerId })} />
        ))}
        {member.handles.length === 0 && <li className="text-muted">None known.</li>}
      </ul>
    </div>
  );
}
