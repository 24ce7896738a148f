import { inbox } from '../api/client';
import type { Customer } from '../gen/weftline/inbox/v1/types_pb';
import { fits, kindsOf } from './fits';

const listed = 200;

/**
 * Customers by name or address, the last active first: those among the 200 last
 * active that fit, whoever has exactly this address, and who wrote or was
 * written to with these words.
 */
export async function findCustomers(words: string): Promise<Customer[]> {
  const exact = kindsOf(words).map((kind) => inbox.findCustomer({ by: { case: 'handle', value: { kind, address: words, inboxId: '' } } }).then((answer) => [answer.customer], () => []));
  const recent = inbox.listCustomers({ pageSize: listed }).then((page) => page.customers.filter((customer) => fits(customer, words)));
  const said = words.length < 2 ? [] : await inbox.search({ query: words.slice(0, 200), pageSize: 20 }).then((page) => page.hits, () => []);
  const found = new Map<string, Customer>();
  for (const customer of (await Promise.all([...exact, recent])).flat()) if (customer && !customer.erased) found.set(customer.id, customer);
  const missing = [...new Set(said.map((hit) => hit.entry?.customerId ?? ''))].filter((id) => id && !found.has(id)).slice(0, 8);
  const more = await Promise.all(missing.map((id) => inbox.findCustomer({ by: { case: 'customerId', value: id } }).then((answer) => answer.customer, () => undefined)));
  for (const customer of more) if (customer && !customer.erased) found.set(customer.id, customer);
  return [...found.values()];
}
