import { Code, ConnectError } from '@connectrpc/connect';
import { PreviewStaleSchema } from '../gen/weftline/identity/v1/identity_pb';
import { ConversationChangedSchema, SenderRefutedSchema, SendRefusedSchema, type ConversationChanged, type SenderRefuted } from '../gen/weftline/inbox/v1/inbox_pb';
import type { Consent } from '../gen/weftline/inbox/v1/types_pb';

/** True when the call may never have reached the hub, so the same key may be sent again. */
export function isOffline(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  const { code } = ConnectError.from(error);
  return code === Code.Unavailable || code === Code.DeadlineExceeded || code === Code.Canceled || code === Code.Aborted
    || (code === Code.Unknown && ConnectError.from(error).cause instanceof TypeError);
}

/** The newer entries when a reply was refused because somebody else said something first. */
export function conversationChanged(error: unknown): ConversationChanged | undefined {
  const failure = ConnectError.from(error);
  if (failure.code !== Code.FailedPrecondition) return undefined;
  return failure.findDetails(ConversationChangedSchema)[0];
}

/** The address and what refutes it, when a reply was refused because its sender does not own it. */
export function senderRefuted(error: unknown): SenderRefuted | undefined {
  const failure = ConnectError.from(error);
  if (failure.code !== Code.FailedPrecondition) return undefined;
  return failure.findDetails(SenderRefutedSchema)[0];
}

/** What the address said, when nothing was sent because it wants nothing (STOP). */
export function optedOut(error: unknown): Consent | undefined {
  const failure = ConnectError.from(error);
  if (failure.code !== Code.FailedPrecondition) return undefined;
  return failure.findDetails(SendRefusedSchema).find((refused) => refused.reason === 'opted_out')?.optedOut;
}

/** Seconds to wait when the hub said that it was asked too much; undefined when it said something else. */
export function waitFor(error: unknown): number | undefined {
  const failure = ConnectError.from(error);
  if (failure.code !== Code.ResourceExhausted) return undefined;
  const seconds = Number(failure.metadata.get('retry-after') ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

/** What changed since the preview that an order named, when it was refused for that. */
export function previewStale(error: unknown): readonly string[] | undefined {
  const failure = ConnectError.from(error);
  if (failure.code !== Code.FailedPrecondition) return undefined;
  return failure.findDetails(PreviewStaleSchema)[0]?.changes;
}

/** True when the hub is older than the console, or was built without it. */
export const isUnimplemented = (error: unknown): boolean => ConnectError.from(error).code === Code.Unimplemented;

/** What is wrong by field name, from words of the form "field: problem", one a line. */
export function byWords(words: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const line of words.split('\n')) {
    const found = /^(?:settings\.|inbox\.|agent\.)*([a-z][a-z0-9_]*): (.+)$/.exec(line.trim());
    if (found) out[found[1]!] = found[2]!;
  }
  return out;
}

type Violation = { field?: string; description?: string };

/** Words for people: the server's own sentence, and which field it is about. */
export function describe(error: unknown): string {
  if (isOffline(error)) return 'The hub cannot be reached just now.';
  const failure = ConnectError.from(error);
  if (failure.code === Code.Unimplemented) return 'This hub does not offer that.';
  const fields = violations(failure).map((v) => (v.field ? `${v.field}: ${v.description}` : v.description));
  if (fields.length > 0) return fields.join(' · ');
  if (failure.code === Code.PermissionDenied) return failure.rawMessage || 'You may not do this. Ask an owner.';
  return failure.rawMessage || 'Something went wrong.';
}

/** What is wrong by field name, from a google.rpc.BadRequest detail. */
export function byField(error: unknown): Record<string, string> {
  const out: Record<string, string> = {};
  for (const v of violations(ConnectError.from(error))) if (v.field && v.description) out[v.field] = v.description;
  return out;
}

/** A refusal as a form shows it: what is wrong at its fields, and in words what none of these fields can show. */
export function refusal(error: unknown, fields: readonly string[]): { at: Record<string, string>; rest: string } {
  if (error === undefined) return { at: {}, rest: '' };
  const at = byField(error);
  if (Object.keys(at).length === 0) return { at, rest: describe(error) };
  const unseen = Object.entries(at).filter(([field]) => !fields.includes(field));
  return { at, rest: unseen.map(([field, words]) => `${field}: ${words}`).join(' · ') };
}

function violations(failure: ConnectError): Violation[] {
  if (failure.code !== Code.InvalidArgument) return [];
  for (const detail of failure.details) {
    if (!('debug' in detail) || !detail.type.endsWith('BadRequest')) continue;
    const debug = detail.debug as { fieldViolations?: Violation[] } | undefined;
    if (debug?.fieldViolations?.length) return debug.fieldViolations;
  }
  return Object.entries(byWords(failure.rawMessage)).map(([field, description]) => ({ field, description }));
}
