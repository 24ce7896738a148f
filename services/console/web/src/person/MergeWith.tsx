import { useState } from 'react';
import { Dialog } from '../ui/Dialog';
import { CustomerPicker } from './CustomerPicker';
import { MergeDialog } from './MergeDialog';

/** Finds whom to merge a person with, then shows both. */
export function MergeWith({ customerId, members, name, onClose }: { customerId: string; members: readonly string[]; name: string; onClose(): void }) {
  const [other, setOther] = useState('');
  if (other) return <MergeDialog a={customerId} b={other} onClose={onClose} onBack={() => setOther('')} />;
  return (
    <Dialog open onClose={onClose} title={`Merge ${name} with…`} about="Choose who is the same person. You see both before anything happens.">
      <CustomerPicker label="Who is it?" without={members} onPick={(customer) => setOther(customer.id)} />
    </Dialog>
  );
}
