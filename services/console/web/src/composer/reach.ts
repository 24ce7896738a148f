import type { Capabilities, ReplyTarget } from '../gen/weftline/inbox/v1/types_pb';
import { largestFile } from '../api/limits';
import { millis } from '../live/cache';
import { moment } from '../ui/When';

/** How long a text is in a channel's unit. */
export function lengthIn(unit: string, text: string): number {
  if (unit === 'utf-16') return text.length;
  if (unit === 'bytes') return new TextEncoder().encode(text).length;
  return [...text].length;
}

/** Why nothing may be sent there now, '' when something may. The hub says the same. */
export function refusedBy(target: ReplyTarget | undefined, now: number): string {
  if (!target?.handle) return 'There is no address to reply to yet.';
  if (target.refused) return target.refused;
  const out = target.optedOut;
  if (out?.wish === 'out') return `opted out${out.entryId ? ' by a message' : ''} on ${moment(millis(out.at), now)}; nothing is sent until the customer opts in again.`;
  const ends = millis(target.windowEndsAt);
  if (target.windowEndsAt && now > ends) {
    return target.capabilities?.templates
      ? `the time to reply freely ended ${moment(ends, now)}; only a template can be sent until the customer writes again.`
      : `the time to reply ended ${moment(ends, now)}; nothing can be sent until the customer writes again.`;
  }
  return '';
}

/** Only a template goes out there now. */
export const onlyTemplate = (target: ReplyTarget | undefined, now: number): boolean =>
  !!target?.handle && !target.refused && target.optedOut?.wish !== 'out' && !!target.capabilities?.templates && !!target.windowEndsAt && now > millis(target.windowEndsAt);

/** "23 h", "40 min": how long a reply may still be sent freely; '' when that does not end. */
export function windowLeft(target: ReplyTarget | undefined, now: number): string {
  if (!target?.windowEndsAt) return '';
  const minutes = Math.floor((millis(target.windowEndsAt) - now) / 60_000);
  if (minutes < 0) return '';
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h` : `${minutes} min`;
}

/** Why a file is too large, '' when it is not: for the channel or for any reply, whichever takes less. */
export function tooLarge(can: Capabilities | undefined, file: { size: number; name: string }): string {
  const most = Math.min(largestFile, Number(can?.attachmentLimit ?? 0n) || largestFile);
  return file.size > most ? `${file.name} is larger than ${Math.floor(most / 1024 / 1024)} MB, the most here.` : '';
}

/** What is too much for the channel, '' when it fits. Splitting in parts is the hub's: this only adds the parts up. */
export function tooMuch(can: Capabilities | undefined, text: string, files: readonly { size: number; type: string; name: string }[]): string {
  const large = files.map((file) => tooLarge(can, file)).find((words) => words !== '');
  if (!can) return large ?? '';
  const most = can.textLimit * Math.max(can.parts, 1);
  if (most > 0 && lengthIn(can.textUnit, text) > most) return `At most ${most.toLocaleString()} ${can.textUnit === 'bytes' ? 'bytes' : 'characters'} here.`;
  if (files.length === 0) return '';
  if (!can.attachments) return 'This channel carries no files.';
  if (can.attachmentsPerMessage > 0 && files.length > can.attachmentsPerMessage) return `At most ${can.attachmentsPerMessage} files here.`;
  if (large) return large;
  const strange = files.find((file) => file.type !== '' && can.attachmentTypes.length > 0 && !can.attachmentTypes.some((type) => type === file.type || (type.endsWith('*') && file.type.startsWith(type.slice(0, -1)))));
  return strange ? `${strange.name} is of a type this channel does not take.` : '';
}

/** "120 / 160" where the channel has a limit, '' where it has none. */
export function counter(can: Capabilities | undefined, text: string): string {
  if (!can || can.textLimit <= 0 || text === '') return '';
  const most = can.textLimit * Math.max(can.parts, 1);
  return `${lengthIn(can.textUnit, text).toLocaleString()} / ${most.toLocaleString()}`;
}
