import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe as group, expect, it } from 'vitest';
import { byField, conversationChanged, describe, isOffline, refusal } from '../src/api/error';
import { ConversationChangedSchema } from '../src/gen/weftline/inbox/v1/inbox_pb';
import { entry } from './fixture';

const incoming = (code: Code, message: string, details: ConnectError['details'] = []): ConnectError => {
  const error = new ConnectError(message, code);
  error.details = details;
  return error;
};

group('errors', () => {
  it('tell a lost connection from a refusal', () => {
    expect(isOffline(new TypeError('Failed to fetch'))).toBe(true);
    expect(isOffline(new ConnectError('gone', Code.Unavailable))).toBe(true);
    expect(isOffline(new ConnectError('no', Code.InvalidArgument))).toBe(false);
  });

  it('find the field, from the detail or from the message', () => {
    const detail = { type: 'google.rpc.BadRequest', value: new Uint8Array(), debug: { fieldViolations: [{ field: 'text', description: 'is empty' }] } };
    expect(byField(incoming(Code.InvalidArgument, 'text: is empty', [detail]))).toEqual({ text: 'is empty' });
    expect(byField(new ConnectError('settings.imap_port: "x" is no port\nsmtp_host: required', Code.InvalidArgument))).toEqual({ imap_port: '"x" is no port', smtp_host: 'required' });
    expect(byField(new ConnectError('inbox: not yours', Code.PermissionDenied))).toEqual({});
    expect(describe(new ConnectError('the password is wrong', Code.InvalidArgument))).toBe('the password is wrong');
  });

  it('say what no field of a form can show', () => {
    const last = new ConnectError('role: the last owner cannot be disabled or demoted', Code.InvalidArgument);
    expect(refusal(last, ['name', 'role'])).toEqual({ at: { role: 'the last owner cannot be disabled or demoted' }, rest: '' });
    expect(refusal(last, ['name']).rest).toBe('role: the last owner cannot be disabled or demoted');
    expect(refusal(new ConnectError('subject: too long\ntext: is empty', Code.InvalidArgument), ['text']).rest).toBe('subject: too long');
    expect(refusal(new ConnectError('not now', Code.FailedPrecondition), ['text'])).toEqual({ at: {}, rest: 'not now' });
    expect(refusal(undefined, [])).toEqual({ at: {}, rest: '' });
  });

  it('read what came in before a refused reply', () => {
    const value = toBinary(ConversationChangedSchema, create(ConversationChangedSchema, { version: 5n, newer: [entry(4)] }));
    const changed = conversationChanged(incoming(Code.FailedPrecondition, 'changed', [{ type: 'weftline.inbox.v1.ConversationChanged', value }]));
    expect(changed?.version).toBe(5n);
    expect(changed?.newer.map((e) => e.id)).toEqual(['c1e4']);
    expect(conversationChanged(new ConnectError('tenure over', Code.FailedPrecondition))).toBeUndefined();
  });
});
