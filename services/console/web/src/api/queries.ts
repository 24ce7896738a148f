import { QueryClient, useQuery } from '@tanstack/react-query';
import { Code, ConnectError } from '@connectrpc/connect';
import { Role, type Agent, type Inbox, type Token } from '../gen/weftline/console/v1/console_pb';
import { desk, identity, inbox } from './client';
import { nameOf } from './names';

// Messages hold bigints and are never changed in place: sharing structure between answers gains nothing.
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      structuralSharing: false,
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && ![Code.Unauthenticated, Code.PermissionDenied, Code.NotFound, Code.InvalidArgument, Code.Unimplemented].includes(ConnectError.from(error).code),
    },
  },
});

export const sessionQuery = { queryKey: ['session'], queryFn: () => desk.getSession({}), staleTime: Infinity };
/** The signed-in agent's own signature. */
export const signatureQuery = { queryKey: ['signature'], queryFn: async () => (await desk.getSignature({})).signature };
export const agentsQuery = { queryKey: ['agents'], queryFn: async () => (await desk.listAgents({})).agents };
export const inboxesQuery = { queryKey: ['inboxes'], queryFn: async () => (await desk.listInboxes({})).inboxes };
/** Kinds of inboxes. They change with the hub alone. */
export const channelsQuery = { queryKey: ['channels'], queryFn: async () => (await desk.listChannels({})).channels, staleTime: Infinity };
/** Approved texts of an inbox; the hub asks the provider at most every five minutes. */
export const templatesQuery = (inboxId: string) => ({ queryKey: ['templates', inboxId], queryFn: async () => (await inbox.listTemplates({ inboxId })).templates, staleTime: 60_000, retry: false });
export const tokensQuery = { queryKey: ['tokens'], queryFn: async () => (await desk.listTokens({})).tokens };

export const personQuery = (customerId: string) => ({ queryKey: ['person', 'of', customerId], queryFn: async () => (await identity.getPerson({ customerId })).person });
/** Open suggestions of a customer's person, or everybody's. */
export const suggestionsQuery = (customerId = '') => ({ queryKey: ['person', 'suggestions', customerId], queryFn: async () => (await identity.listSuggestions({ customerId, pageSize: 50 })).suggestions });

/** How a proof stands, asked again while it is open. */
export const proofQuery = (proofId: string) => ({ queryKey: ['proof', proofId], queryFn: async () => (await identity.getProof({ proofId })).proof, staleTime: 0 });

/** Says that what is known of who is who may be old: what is on screen is asked for again. */
export const forgetPersons = (): void => void queries.invalidateQueries({ queryKey: ['person'] });

/** The signed-in agent. Screens are drawn only after it is known. */
export function useMe(): Agent {
  const { data } = useQuery(sessionQuery);
  if (!data?.agent) throw new Error('no session');
  return data.agent;
}

const noAgents: Agent[] = [];
export const useAgents = (): Agent[] => useQuery(agentsQuery).data ?? noAgents;

const noTokens: Token[] = [];

/** A function from the id of who did something, and the name he wrote under, to the name to show. Only owners may know what tokens are called. */
export function useAgentName(): (id: string, written?: string) => string {
  const agents = useAgents();
  const me = useMe();
  const tokens = useQuery({ ...tokensQuery, enabled: me.role === Role.OWNER }).data ?? noTokens;
  return (id, written) => nameOf(id, { meId: me.id, agents, tokens }, written);
}

const noInboxes: Inbox[] = [];

/** A function from inbox id to its name. */
export function useInboxName(): (id: string) => string {
  const inboxes = useQuery(inboxesQuery).data ?? noInboxes;
  return (id) => inboxes.find((one) => one.id === id)?.name || id;
}
