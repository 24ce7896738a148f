import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { ConsoleService } from '../gen/weftline/console/v1/console_pb';
import { IdentityService } from '../gen/weftline/identity/v1/identity_pb';
import { InboxService } from '../gen/weftline/inbox/v1/inbox_pb';

/** Sends the browser to the server-rendered login page and back here afterwards. */
export function toLogin(): void {
  const here = location.pathname + location.search;
  location.assign('/login?next=' + encodeURIComponent(here));
}

const login: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unauthenticated) toLogin();
    throw error;
  }
};

const transport = createConnectTransport({
  baseUrl: location.origin,
  useBinaryFormat: false,
  interceptors: [login],
  defaultTimeoutMs: 30_000,
});

export const inbox = createClient(InboxService, transport);
export const identity = createClient(IdentityService, transport);
export const desk = createClient(ConsoleService, transport);

/** A key that makes repeating a mutation harmless. */
export const newKey = (): string => crypto.randomUUID();
