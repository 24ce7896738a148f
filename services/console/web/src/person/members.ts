import { create } from '@bufbuild/protobuf';
import { HandleEvidenceSchema, MemberSchema, PersonSchema, Qualifier, type Person } from '../gen/weftline/identity/v1/types_pb';
import type { Customer } from '../gen/weftline/inbox/v1/types_pb';
import { called } from './called';

/** A person as far as a timeline tells, for a hub that cannot say more. */
export function personOf(members: readonly Customer[], shown?: Customer): Person {
  const first = members.find((member) => !member.erased) ?? members[0];
  return create(PersonSchema, {
    id: shown?.personId || first?.id || '',
    name: shown?.name || first?.name || '',
    members: members.map((customer) => create(MemberSchema, {
      customer, erased: customer.erased,
      handles: customer.handles.map((handle) => create(HandleEvidenceSchema, { handle, qualifier: Qualifier.NONE })),
    })),
    attributes: shown?.attributes ?? first?.attributes ?? {},
  });
}

export type Conflict = { name: string; shown: string; others: readonly { value: string; customerId: string }[] };

/** Attributes that members have with different values: the one that is shown, and whose the others are. */
export function conflictsOf(person: Pick<Person, 'members' | 'attributes'>): Map<string, Conflict> {
  const out = new Map<string, Conflict>();
  for (const [name, shown] of Object.entries(person.attributes)) {
    const others = person.members.flatMap(({ customer, erased }) => {
      const value = erased ? undefined : customer?.attributes[name];
      return value !== undefined && value !== shown ? [{ value, customerId: customer!.id }] : [];
    });
    if (others.length > 0) out.set(name, { name, shown, others });
  }
  return out;
}

/** What to call a member: his name, or what is left of him. */
export const memberName = (customer: Pick<Customer, 'id' | 'name' | 'erased'> | undefined): string =>
  !customer ? 'Unknown' : customer.erased ? 'Erased customer' : called(customer.name, customer.id);
