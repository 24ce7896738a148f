import { useQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useDeferredValue, useId, useState } from 'react';
import type { Customer } from '../gen/weftline/inbox/v1/types_pb';
import { Avatar } from '../ui/Avatar';
import { ChannelIcon } from '../ui/Channel';
import { Failed } from '../ui/State';
import { called } from './called';
import { findCustomers } from './find';

/** Finds a customer by name or address. without: ids that cannot be chosen. */
export function CustomerPicker({ label, without, onPick }: { label: string; without: readonly string[]; onPick(customer: Customer): void }) {
  const [text, setText] = useState('');
  const words = useDeferredValue(text.trim());
  const id = useId();
  const { data, error, isFetching } = useQuery({ queryKey: ['find customers', words], queryFn: () => findCustomers(words), staleTime: 10_000, gcTime: 30_000, placeholderData: (before) => before });
  const found = (data ?? []).filter((customer) => !without.includes(customer.id)).slice(0, 20);
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-[13px] font-medium">{label}</label>
      <div className="relative mb-2">
        <Search size={15} aria-hidden className="absolute start-2.5 top-2.5 text-muted" />
        <input id={id} autoFocus type="search" dir="auto" autoComplete="off" placeholder="Name, e-mail address, phone number" className="field ps-8!" value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      {error !== null && <Failed what="Nobody could be looked for." error={error} />}
      <p role="status" className="sr-only">{isFetching ? 'Searching…' : `${found.length} found`}</p>
      {data && found.length === 0 && <p className="py-3 text-center text-muted">{isFetching ? 'Searching…' : 'Nobody found. An exact address finds everybody.'}</p>}
      <ul aria-label="Customers found" className="scroll max-h-[42vh]">
        {found.map((customer) => (
          <li key={customer.id}>
            <button type="button" onClick={() => onPick(customer)} className="flex min-h-12 w-full items-center gap-3 rounded-lg px-2 py-1 text-start hover:bg-select">
              <Avatar name={called(customer.name, customer.id)} of={customer.id} size={30} />
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium"><bdi>{called(customer.name, customer.id)}</bdi></span>
                <span className="flex flex-wrap gap-x-3 text-[13px] text-muted">
                  {customer.handles.map((handle) => <span key={handle.id} className="flex min-w-0 items-center gap-1"><ChannelIcon channel={handle.kind} size={12} />{handle.kind === 'chat' ? 'visitor' : <bdi dir="ltr" className="truncate">{handle.address}</bdi>}</span>)}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
