import type { Agent, Token } from '../gen/weftline/console/v1/console_pb';

type Known = { meId: string; agents: readonly Pick<Agent, 'id' | 'name'>[]; tokens: readonly Pick<Token, 'id' | 'name'>[] };

/** The name of who did something. written is the name that stands in what he wrote: of an author who is nobody here, as one of an import. */
export function nameOf(id: string, { meId, agents, tokens }: Known, written = ''): string {
  if (id === meId) return 'You';
  if (id === 'customer') return 'The customer';
  if (id === 'system' || id === 'policy') return 'Weftline';
  if (id.startsWith('token:')) return tokens.find((token) => token.id === id.slice('token:'.length))?.name || 'API';
  return agents.find((agent) => agent.id === id)?.name || written || id || 'Nobody';
}
