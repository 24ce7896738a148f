import { create } from 'zustand';
import type { Proof } from '../gen/weftline/identity/v1/types_pb';
import { describe, optedOut, waitFor } from '../api/error';
import { millis } from '../live/cache';
import { moment } from '../ui/When';

/** A proof that was asked for here, until the page is loaded anew. */
export type Asked = { proofId: string; address: string };

/** The latest proof by what it is about: a handle's id, or a customer's for an address he only named. */
export const useProofs = create<{ of: Readonly<Record<string, Asked>> }>(() => ({ of: {} }));

export const rememberProof = (about: string, asked: Asked): void => useProofs.setState((s) => ({ of: { ...s.of, [about]: asked } }));

export function forgetProof(about: string): void {
  const { [about]: _gone, ...of } = useProofs.getState().of;
  useProofs.setState({ of });
}

/** How often an open proof is asked about, ms. */
export const proofEvery = 2_000;

/** Levels below this can be raised by a proof. */
export const provenLevel = 3;

/** Kinds of address that something can be sent to. */
export const provable = (kind: string): boolean => kind === 'email' || kind === 'phone';

const reaches: Record<string, string> = { email: 'email', sms: 'phone', phone: 'phone' };

/** The kind of address an inbox of a channel writes to. */
export const kindOfChannel = (channel: string): string => reaches[channel] ?? channel;

/** "9:05", of whole seconds left; never below zero. */
export function left(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const delivered: Record<string, string> = {
  '': 'It is on its way.',
  retrying: 'It could not be handed over yet; Weftline tries again.',
  unknown: 'It is not known whether it went out.',
  sent: 'It was handed over.',
  delivered: 'It has arrived.',
  read: 'It was read.',
  failed: 'It could not be delivered.',
};

export type Standing = { tone: 'wait' | 'good' | 'bad'; title: string; plain: string };

const limits: Record<string, string> = {
  logins: 'both are signed in under different logins',
  members: 'the person would have too many customers',
  handles: 'the person would have too many addresses',
  kind: 'the person would have too many addresses of this kind',
  role: 'it is an office’s address',
  relay: 'it is an address of a forwarding service or a test domain',
  null: 'it is an address nobody owns',
  shared: 'it is shared by several people',
  blocked: 'it is blocked as evidence',
  rules: 'the rules do not allow it',
};

/** Reasons after which the hub suggests what it did not do. */
const suggested = ['logins', 'members', 'handles', 'kind', 'rules'];

/** How a proof stands, in words. */
export function standing(proof: Pick<Proof, 'method' | 'state' | 'delivery' | 'triesLeft' | 'customerId' | 'ownerId' | 'linkId' | 'refused'>): Standing {
  const thing = proof.method === 'link' ? 'link' : 'code';
  switch (proof.state) {
    case 'open':
      return { tone: proof.delivery === 'failed' ? 'bad' : 'wait', title: `A ${thing} was sent`, plain: delivered[proof.delivery] ?? '' };
    case 'proven':
      return { tone: 'wait', title: 'Proven, being noted', plain: 'The right answer came. It is being written down.' };
    case 'passed': {
      const others = proof.ownerId !== '' && proof.ownerId !== proof.customerId;
      if (proof.refused) return { tone: 'good', title: 'Proven', plain: `The address is his. It was not linked with whom it belongs to, because ${limits[proof.refused] ?? proof.refused}. ${suggested.includes(proof.refused) ? 'It is among the suggestions.' : 'Merge them by hand if they are one person.'}` };
      if (others && proof.linkId) return { tone: 'good', title: 'Proven', plain: 'The address was another customer’s. The two are one person now.' };
      return { tone: 'good', title: 'Proven', plain: 'Whoever this is controls the address.' };
    }
    case 'failed': return { tone: 'bad', title: 'Not proven', plain: 'The code was wrong too often. Send a new one.' };
    case 'expired': return { tone: 'bad', title: 'Expired', plain: `Nobody used the ${thing} in time. Send a new one.` };
    case 'void':
      return { tone: 'bad', title: 'No longer good', plain: proof.delivery === 'failed' ? 'It could not be delivered. Check the address.' : 'A newer one was sent, or the address belongs to somebody else now.' };
    default: return { tone: 'wait', title: proof.state, plain: '' };
  }
}

/** Why no code was sent or taken, in words. */
export function whyNot(error: unknown, now = Date.now()): string {
  const out = optedOut(error);
  if (out) return `The address opted out on ${moment(millis(out.at), now)}: no code is sent there over this inbox until the customer opts in again. Prove it another way, or by another inbox.`;
  const wait = waitFor(error);
  if (wait === undefined) return describe(error).replace(/^link: cannot be sent here$/, 'Links cannot be sent by this hub: its public address is not set. Send a code.');
  const who = /for this (address|customer|inbox)/.exec(String((error as { rawMessage?: string }).rawMessage ?? ''))?.[1];
  const many = who === 'customer' ? 'Too many codes were sent for this customer.' : who === 'inbox' ? 'Too many codes were sent by this inbox.' : 'Too many codes were sent to this address.';
  return wait > 0 ? `${many} The next one can be sent from ${moment(now + wait * 1000, now)} on.` : `${many} Wait a while.`;
}

/** What is wrong with a code before it is sent to the hub, empty when nothing is. */
export const wrongCode = (code: string): string => (/^\d{6}$/.test(code.replaceAll(/[\s-]/g, '')) ? '' : 'A code has six digits.');

/** Time left of a proof, ms. */
export const timeLeft = (proof: Pick<Proof, 'expiresAt'>, now: number): number => (proof.expiresAt ? millis(proof.expiresAt) - now : 0);
