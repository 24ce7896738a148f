import type { Inbox, TestInboxResponse } from '../gen/weftline/console/v1/console_pb';

export type Face = { label: string; tone: string };

const faces: Readonly<Record<string, Face>> = {
  ok: { label: 'Working', tone: 'bg-ok' },
  connecting: { label: 'Connecting…', tone: 'bg-line-strong' },
  needs_attention: { label: 'Needs attention', tone: 'bg-danger' },
  paused: { label: 'Paused', tone: 'bg-warn' },
};

/** Nothing is wrong, but no provider has shown yet that it posts here: nobody connects to it meanwhile. */
const unproven = ({ health, webhookUrl, lastIn }: Pick<Inbox, 'health' | 'webhookUrl' | 'lastIn'>): boolean => health === 'ok' && webhookUrl !== '' && !lastIn;

/** The state of an inbox in words, and its colour. */
export function faceOf(inbox: Pick<Inbox, 'health' | 'webhookUrl' | 'lastIn'>): Face {
  if (unproven(inbox)) return { label: 'Ready', tone: 'bg-line-strong' };
  return faces[inbox.health] ?? { label: inbox.health || 'Unknown', tone: 'bg-line-strong' };
}

/** What is wrong or worth knowing now, '' for nothing. */
export function reasonOf(inbox: Pick<Inbox, 'health' | 'healthDetail' | 'paused' | 'pausedInFile' | 'webhookUrl' | 'lastIn'>): string {
  if (inbox.pausedInFile) return 'Paused by the configuration file. Nothing is fetched or sent; what agents write waits.';
  if (inbox.paused) return 'Nothing is fetched or sent. What agents write waits and goes out when the inbox goes on; what customers bring by webhook or chat is shown as ever.';
  return inbox.healthDetail || (unproven(inbox) ? 'Nothing has come in since the hub started. The first message shows that the provider posts here.' : '');
}

/** What is said of an inbox that was just saved, after the last try to connect it. */
export const savedWords = (outcome: Pick<TestInboxResponse, 'ok'> | undefined): string =>
  outcome?.ok === false ? 'Saved, but it does not work yet. Its card under Inboxes says why.' : 'Saved. The inbox works from now on.';

const count = (n: bigint, one: string, many: string): string => `${n.toLocaleString()} ${n === 1n ? one : many}`;

/** What waits in an inbox, in words; nothing where nothing does or it is not known. */
export function waitingIn({ waitingOut, setAside }: Pick<Inbox, 'waitingOut' | 'setAside'>): string[] {
  const out: string[] = [];
  if (waitingOut) out.push(count(waitingOut, 'message waits to be sent', 'messages wait to be sent'));
  if (setAside) out.push(count(setAside, 'input was put aside (hub poison)', 'inputs were put aside (hub poison)'));
  return out;
}
