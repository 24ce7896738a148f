const dmarc: Record<string, string> = {
  pass: 'the sender’s domain vouches for this message',
  fail: 'the sender’s domain disowns this message: it was not sent by its servers, or it was changed on the way',
  none: 'the sender’s domain says nothing about its mail, so anybody can write in its name',
  temperror: 'the sender’s domain could not be asked just then',
};

const doubts: readonly (readonly [RegExp, string])[] = [
  [/From is ambiguous|^from, ambiguous$/, 'The mail names more than one sender, or one that mail programs read in different ways. That is how forgers hide.'],
  [/From has no domain/, 'The mail names a sender that is no address.'],
  [/header can be read in several ways/, 'The mail’s header is built so that mail programs read it in different ways. That is how forgers hide.'],
  [/do not agree/, 'The results our mail server wrote into the mail contradict each other.'],
  [/no Authentication-Results/, 'Our mail server wrote no result into the mail, so nothing is known.'],
  [/came to the listener/, 'It was brought straight to Weftline and not by our mail server, which is the one that checks.'],
  [/gives no DMARC result/, 'Our mail server did not check the mail against the sender’s domain.'],
  [/took too long|panicked|other items|settings cannot be used/, 'The check itself did not work, so nothing is known.'],
];

/**
 * What a message's assurance rests on, in a sentence. The hub's own words are
 * for experts; those this console does not know are given back as they are.
 */
export function inWords(evidence: string): string {
  if (!evidence) return '';
  const result = /^dmarc=(\w+)/.exec(evidence)?.[1];
  if (result !== undefined) {
    const said = dmarc[result] ?? `the check of the sender’s domain ended with “${result}”`;
    const by = / by our mail server/.test(evidence) ? 'Our mail server checked it' : 'Weftline checked it';
    const token = /reply token returned/.test(evidence) ? ' It answers a mail of ours, from the very address that went to.' : '';
    return `${by}: ${said}.${token}`;
  }
  if (evidence === 'unsubscribe link of our mail') return 'It was said by the link in a mail that we sent to this address.';
  if (evidence === 'visitor token') return 'It came from the browser in which this chat began.';
  if (evidence.startsWith('jwt ')) return 'Your own site vouches for who is signed in.';
  return doubts.find(([pattern]) => pattern.test(evidence))?.[1] ?? evidence.replace(/^not verified: /, 'Not checked: ');
}
