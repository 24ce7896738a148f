import type { Customer } from '../gen/weftline/inbox/v1/types_pb';
import { called } from './called';

/** True when the customer's name or an address of his has all the words. */
export function fits(customer: Customer, words: string): boolean {
  const text = [called(customer.name, customer.id), ...customer.handles.map((handle) => handle.address)].join(' ').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Kinds of address the words may be. */
export function kindsOf(words: string): string[] {
  if (/^\S+@\S+\.\S+$/.test(words)) return ['email'];
  if (/^\+?[\d\s().-]{6,}$/.test(words)) return ['sms', 'phone'];
  return [];
}
