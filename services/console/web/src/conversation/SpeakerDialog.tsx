import { useState } from 'react';
import { identity, newKey } from '../api/client';
import { describe } from '../api/error';
import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { loadConversation } from '../live/load';
import { CustomerPicker } from '../person/CustomerPicker';
import { refreshPersons } from '../person/refresh';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { say } from '../ui/toast';

/** Says who spoke, on an address that several people use. */
export function SpeakerDialog({ row, onClose }: { row: Conversation; onClose(): void }) {
  const [busy, setBusy] = useState(false);
  const attribute = async (customerId: string): Promise<void> => {
    setBusy(true);
    try {
      await identity.attributeConversation({ conversationId: row.id, customerId, idempotencyKey: newKey() });
      refreshPersons(row.customerId);
      await loadConversation(row.id).catch(() => {});
      say('Noted.');
      onClose();
    } catch (error) {
      say(`Not noted. ${describe(error)}`, { tone: 'bad' });
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title="Who spoke?" about="For an address that several people use. The conversation stays where it is, with the name of who spoke.">
      {row.attributedTo && <Button className="mb-3" disabled={busy} onClick={() => void attribute('')}>Take back who spoke</Button>}
      <CustomerPicker label="Who is it?" without={[row.customerId]} onPick={(customer) => void attribute(customer.id)} />
    </Dialog>
  );
}
