import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Speech } from 'lucide-react';
import { personQuery } from '../api/queries';
import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { called } from '../person/called';

/** Who spoke, where an address that several people use hides it. */
export function Spoke({ row }: { row: Conversation }) {
  const { data } = useQuery({ ...personQuery(row.attributedTo), enabled: row.attributedTo !== '' });
  if (!row.attributedTo) return null;
  const given = data?.name || data?.members.find((member) => member.customer?.id === row.attributedTo)?.customer?.name;
  const name = given ? called(given, row.attributedTo) : 'somebody';
  return (
    <Link to="/customers/$customerId" params={{ customerId: row.attributedTo }} title="An agent said who spoke. The conversation is kept with the address." className="flex min-h-7 items-center gap-1 rounded-lg bg-accent-soft px-2 text-[13px] text-accent-text underline decoration-dotted underline-offset-2">
      <Speech size={14} aria-hidden />Spoken by <bdi>{name}</bdi>
    </Link>
  );
}
