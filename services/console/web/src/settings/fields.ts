import type { Channel, Paste, Setting, SettingCondition } from '../gen/weftline/console/v1/console_pb';

/** What somebody entered, or what is stored, by key. */
export type Values = Readonly<Record<string, string>>;

export type Group = { title: string; basic: readonly Setting[]; advanced: readonly Setting[] };

/** The value that counts: what is entered, else the default. */
export const valueOf = (settings: readonly Setting[], values: Values, key: string): string =>
  values[key] || settings.find((one) => one.key === key)?.default || '';

/** Whether a condition on another setting holds. None always does; one on a setting that is not asked for itself never. */
export function holds(when: SettingCondition | undefined, settings: readonly Setting[], values: Values): boolean {
  if (!when?.key) return true;
  const asked = settings.find((one) => one.key === when.key)?.when;
  return when.is.includes(valueOf(settings, values, when.key)) && holds(asked, settings, values);
}

/** The form of a channel: what is asked for with these values, under its headings, in the channel's order. */
export function groupsOf(settings: readonly Setting[], values: Values): readonly Group[] {
  const groups = new Map<string, { basic: Setting[]; advanced: Setting[] }>();
  for (const one of settings) {
    if (!holds(one.when, settings, values)) continue;
    const group = groups.get(one.group) ?? { basic: [], advanced: [] };
    (one.advanced ? group.advanced : group.basic).push(one);
    groups.set(one.group, group);
  }
  return [...groups].map(([title, { basic, advanced }]) => ({ title, basic, advanced }));
}

/** What is sent to the hub: nothing that is not asked for, nothing empty unless it empties what is stored. */
export function sendable(settings: readonly Setting[], values: Values, stored: Values): Record<string, string> {
  const out: Record<string, string> = {};
  for (const one of settings) {
    const value = values[one.key] ?? '';
    if (holds(one.when, settings, values) && (value !== '' || stored[one.key])) out[one.key] = value;
  }
  return out;
}

export type Pasted = { what: string; where: string; value: string; secret: boolean };

/** What has to be entered at the provider. A secret is known only to who has just entered it: else its value is empty, and in an address its name stands for it. */
export function pasteOf(paste: readonly Paste[], settings: readonly Setting[], values: Values, webhook: string): readonly Pasted[] {
  // Of two live secrets the first is the one in use.
  const known = (key: string): string => valueOf(settings, values, key).trim().split(/\s+/)[0]!;
  const label = (key: string): string => settings.find((one) => one.key === key)?.label ?? key;
  const tail = (words: string): string =>
    words.replaceAll(/\{(\w+)\}/g, (_, key: string) => (known(key) ? encodeURIComponent(known(key)) : `<${label(key)}>`));
  return paste.filter((one) => holds(one.when, settings, values)).map(({ what, where, key, tail: behind }) => ({
    what, where,
    secret: settings.some((one) => one.key === key && one.secret),
    value: key === '' ? webhook + tail(behind) : known(key),
  }));
}

/** Errors by key that no field on screen shows. */
export const unplaced = (errors: Readonly<Record<string, string>>, settings: readonly Setting[], values: Values): string[] =>
  Object.entries(errors)
    .filter(([key]) => key !== 'name' && key !== 'id' && !settings.some((one) => one.key === key && holds(one.when, settings, values)))
    .map(([key, words]) => `${key}: ${words}`);

/** The channels to choose from: the ones a newcomer most likely wants first. */
export const inOrder = (channels: readonly Channel[]): readonly Channel[] => {
  const first = ['email', 'chat'];
  const rank = ({ name }: Channel): number => (first.includes(name) ? first.indexOf(name) : first.length);
  return [...channels].sort((a, b) => rank(a) - rank(b));
};

/** An id for a new inbox, made of its name: it stands in addresses, so it should be readable. Never one of taken. */
export function idOf(name: string, channel: string, taken: ReadonlySet<string>): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const base = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '') || channel;
  if (!taken.has(base)) return base;
  let n = 2;
  while (taken.has(`${base}-${n}`)) n++;
  return `${base}-${n}`;
}
