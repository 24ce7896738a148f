import { Qualifier, type HandleEvidence, type Link, type Repeats } from '../gen/weftline/identity/v1/types_pb';

const evidence: Record<string, string> = {
  new: 'It came with a message and was nobody’s yet.',
  login: 'Your own login says so.',
  code: 'Proven with a one-time code.',
  link: 'Proven with a signed link.',
  reply_token: 'A reply to what we wrote came from it.',
  attested: 'The channel vouches for it.',
  observed: 'Seen as the sender of a message.',
  outbound: 'An agent wrote to it first.',
  moved: 'An agent moved it here.',
};

/** Why a handle is believed to be its owner's. */
export const whyHis = (handle: Pick<HandleEvidence, 'evidence'>): string => evidence[handle.evidence] ?? (handle.evidence ? `By ${handle.evidence}.` : 'Nothing is known of it.');

/** What a refuted handle is. */
export const refuted = 'Whoever wrote in the name of this address was found not to own it. The real owner’s conversations are elsewhere.';

export const qualifiers: Record<Qualifier, { label: string; plain: string }> = {
  [Qualifier.UNSPECIFIED]: { label: '', plain: '' },
  [Qualifier.NONE]: { label: '', plain: 'One person’s own.' },
  [Qualifier.SHARED]: { label: 'Shared', plain: 'Several people use it, as a family’s phone: it is a customer of its own, and never links anybody.' },
  [Qualifier.ROLE]: { label: 'Office', plain: 'An office’s, as info@. It never links anybody by itself.' },
  [Qualifier.BLOCKED]: { label: 'Blocked', plain: 'It proves nothing about anybody.' },
};

/** Who made a link, in words that begin a line. */
export const madeBy = (link: Pick<Link, 'rule' | 'actor'>, name: (id: string) => string): string =>
  link.rule === 'agent' || link.rule === '' ? `Merged by ${name(link.actor)}` : `Linked by the rule ${link.rule.replace(/@.*/, '').replaceAll('_', ' ')}`;

/** Who took a link back, and why. */
export function undoneBy(link: Pick<Link, 'undoneBy' | 'undoneReason'>, name: (id: string) => string): string {
  const limit = /^guard:(.*)$/.exec(link.undoneReason)?.[1];
  return limit === undefined ? `Taken apart by ${name(link.undoneBy)}` : `Taken apart by Weftline: too many ${limit.replaceAll('_', ' ')} for one person`;
}

const times = (n: bigint, one: string, many: string): string => `${n} ${n === 1n ? one : many}`;

/** "Explained again 3 times", empty when never. */
export const repeated = (repeats: Pick<Repeats, 'total'>): string =>
  repeats.total > 0n ? `Explained again ${repeats.total === 1n ? 'once' : repeats.total === 2n ? 'twice' : `${repeats.total} times`}` : '';

/** What the figure is made of, one line each. */
export const repeatParts = (repeats: Repeats): string[] => [
  ...(repeats.newConversation > 0n ? [`${times(repeats.newConversation, 'new conversation', 'new conversations')} about the same thing`] : []),
  ...(repeats.newChannel > 0n ? [`${times(repeats.newChannel, 'time', 'times')} on over another channel before we answered`] : []),
  ...(repeats.newAgent > 0n ? [`${times(repeats.newAgent, 'time', 'times')} to another agent than before`] : []),
];

/** How far an erasure is, in the order of its states. */
export const erasureSteps = [
  ['requested', 'Ordered'],
  ['fenced', 'Nothing new gets in'],
  ['released', 'Addresses released'],
  ['shredded', 'Keys destroyed'],
  ['cleaned', 'Lists and files cleaned'],
  ['purged', 'Taken out of the log'],
  ['done', 'Done'],
] as const;

/** How many steps are done, 0 to 7; an unknown state counts as none. */
export const stepOf = (state: string): number => erasureSteps.findIndex(([name]) => name === state) + 1;

export const stepWord = (state: string): string => erasureSteps.find(([name]) => name === state)?.[1] ?? state;
