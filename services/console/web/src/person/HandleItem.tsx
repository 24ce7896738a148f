import { useNavigate } from '@tanstack/react-router';
import { Info, Mail, MoreHorizontal } from 'lucide-react';
import { useId, useState } from 'react';
import { identity, inbox, newKey } from '../api/client';
import { describe } from '../api/error';
import { useAgentName } from '../api/queries';
import { Qualifier, type HandleEvidence } from '../gen/weftline/identity/v1/types_pb';
import { assurances } from '../timeline/delivery';
import { IconButton } from '../ui/Button';
import { Menu, MenuItem, MenuTitle } from '../ui/Menu';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { HandleLine } from './HandleLine';
import { ProofLine } from './ProofLine';
import { provable, provenLevel, useProofs } from './proofs';
import { refreshPersons } from './refresh';
import { qualifiers, refuted, whyHis } from './words';

type Props = { of: HandleEvidence; customerId: string; /** Address of another handle of his. */ addressOf(handleId: string): string; /** The hub knows no more than the address. */ bare: boolean; onWrite(): void; onMove(): void; onProve(): void };

const choices = [[Qualifier.NONE, 'One person’s own'], [Qualifier.SHARED, 'Shared by several'], [Qualifier.ROLE, 'An office’s'], [Qualifier.BLOCKED, 'Blocked as evidence']] as const;

/** An address, what is believed of it and why, and what can be done with it. */
export function HandleItem({ of, customerId, addressOf, bare, onWrite, onMove, onProve }: Props) {
  const [shown, setShown] = useState(false);
  const name = useAgentName();
  const navigate = useNavigate();
  const id = useId();
  const asked = useProofs((s) => s.of[of.handle?.id ?? ''] !== undefined);
  const handle = of.handle!;
  const called = handle.kind === 'chat' ? 'the chat visitor' : handle.address || 'this address';
  const qualify = async (qualifier: Qualifier): Promise<void> => {
    try {
      await identity.qualifyHandle({ handleId: handle.id, qualifier, idempotencyKey: newKey() });
      refreshPersons(customerId);
      if (qualifier !== Qualifier.SHARED) return say('Noted.');
      const line = (await inbox.findCustomer({ by: { case: 'handle', value: { kind: handle.kind, address: handle.address } } }).catch(() => undefined))?.customer?.id;
      say('It is a customer of its own now, with what came over it: nobody knows who of them spoke.', line && line !== customerId ? { action: { label: 'Show', run: () => void navigate({ to: '/customers/$customerId', params: { customerId: line } }) } } : {});
    } catch (error) {
      say(`Not changed. ${describe(error)}`, { tone: 'bad' });
    }
  };
  return (
    <li>
      <div className="flex items-start gap-0.5">
        <HandleLine of={of} />
        {handle.kind === 'email' && handle.address && <IconButton label={`Write to ${handle.address}`} className="size-7!" onClick={onWrite}><Mail size={15} aria-hidden /></IconButton>}
        {!bare && <IconButton label={`Why is ${called} his?`} aria-expanded={shown} aria-controls={id} className="size-7!" onClick={() => setShown(!shown)}><Info size={15} aria-hidden /></IconButton>}
        {!bare && (
          <Menu label={`What to do with ${called}`} trigger={<IconButton label={`More about ${called}`} className="size-7!"><MoreHorizontal size={15} aria-hidden /></IconButton>}>
            <MenuItem onSelect={onMove}>Move to somebody else…</MenuItem>
            <MenuTitle>Whose is it?</MenuTitle>
            {choices.map(([value, label]) => <MenuItem key={value} chosen={of.qualifier === value || (value === Qualifier.NONE && of.qualifier === Qualifier.UNSPECIFIED)} onSelect={() => void qualify(value)}>{label}</MenuItem>)}
          </Menu>
        )}
      </div>
      {!bare && provable(handle.kind) && handle.address !== '' && (
        <div className="ms-6 flex flex-wrap items-center gap-1.5">
          {handle.assurance < provenLevel && !asked && <button type="button" aria-label={`Verify this address: ${called}`} onClick={onProve} className="min-h-6 text-xs font-medium text-accent-text underline underline-offset-2">Verify this address</button>}
          <ProofLine about={handle.id} onOpen={onProve} />
        </div>
      )}
      {shown && (
        <div id={id} className="ms-6 mt-1 rounded-lg bg-sunken px-2 py-1.5 text-xs text-muted">
          <p>{assurances[handle.assurance]?.plain}</p>
          <p>{whyHis(of)}{of.throughHandleId && of.throughHandleId !== handle.id && <> Through <bdi dir="ltr">{addressOf(of.throughHandleId) || 'another address'}</bdi>.</>}</p>
          {handle.refuted && <p>{refuted}</p>}
          {qualifiers[of.qualifier]?.plain && <p>{qualifiers[of.qualifier].plain}</p>}
          {of.since && <p>Since <When at={of.since} />.</p>}
          {of.tenures.length > 0 && (
            <>
              <p className="mt-1 font-semibold">Whose it was before</p>
              <ol>{of.tenures.map((tenure) => <li key={String(tenure.number)}>{tenure.customerId === '' ? 'Nobody’s' : tenure.customerId === customerId ? 'This customer’s' : <a className="underline" href={`/customers/${encodeURIComponent(tenure.customerId)}`}>Another customer’s</a>} since <When at={tenure.validFrom ?? tenure.since} />{tenure.actor && <> ({name(tenure.actor)})</>}</li>)}</ol>
            </>
          )}
        </div>
      )}
    </li>
  );
}
