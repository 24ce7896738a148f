import type { AuditEntry } from '../gen/weftline/console/v1/console_pb';

/** What somebody did, in words that follow his name. */
const words: Record<string, string> = {
  login: 'logged in',
  'login.failed': 'failed to log in',
  'login.limited': 'tried to log in too often',
  logout: 'logged out',
  'read.timeline': 'read a timeline',
  'read.customer': 'looked up a customer',
  'read.customers': 'listed the customers',
  'read.search': 'searched',
  'read.audit': 'looked at the audit log',
  'download.attachment': 'downloaded a file',
  'download.original': 'downloaded an original message',
  'export.backup': 'made a backup',
  'export.customer': 'exported a customer',
  'identity.merge': 'merged two customers',
  'identity.unmerge': 'took a merge back',
  'identity.move': 'moved an address',
  'identity.qualify': 'said what kind of address one is',
  'identity.attribute': 'said who spoke on a shared line',
  'identity.split': 'split a conversation',
  'identity.join': 'joined two conversations',
  'identity.unjoin': 'parted two conversations',
  'identity.suggestion_refused': 'said no to a suggestion',
  'export.fetched': 'downloaded an export',
  'erase.ordered': 'ordered an erasure',
  'identity.proof_started': 'had a code or link sent to prove an address',
  'identity.proof_passed': 'took what proves an address',
  'identity.proof_failed': 'gave a wrong or late code for an address',
  'reply.to_refuted': 'answered a sender who does not own his address',
  'import.history': 'imported history',
  'erase.customer': 'erased a customer',
  'erase.retired': 'destroyed a conversation that was over its time',
  'erase.hold_placed': 'placed a legal hold',
  'erase.hold_lifted': 'lifted a legal hold',
  'right.agent_added': 'added an agent',
  'right.agent_changed': 'changed an agent',
  'right.password_changed': 'changed a password',
  'right.token_made': 'made an API token',
  'right.token_revoked': 'revoked an API token',
  'right.inbox_saved': 'changed an inbox',
  'right.inbox_deleted': 'deleted an inbox',
  'right.inbox_paused': 'paused an inbox',
  'right.inbox_resumed': 'let a paused inbox go on',
  'right.inbox_tested': 'tried the settings of an inbox',
  'right.inbox_test_sent': 'sent a test message',
  'poison.replay': 'replayed an input that had failed',
  'poison.skip': 'gave up an input that had failed',
  'alert.bulk_read': 'read very much in ten minutes',
};

/** The words of an action; of one this console does not know, its name. */
export const did = (action: string): string => words[action] ?? action;

const reasons: Record<string, string> = {
  permission_denied: 'not allowed',
  resource_exhausted: 'too much',
  invalid_argument: 'not valid',
  not_found: 'not found',
  password: 'wrong password',
  unknown_agent: 'no such agent',
  disabled: 'disabled',
};

/** How it ended, empty when it went well. */
export function ending({ outcome, reason }: Pick<AuditEntry, 'outcome' | 'reason'>): string {
  if (outcome === 'ok') return '';
  const said = outcome === 'refused' ? 'Refused' : 'Failed';
  return reason ? `${said}: ${reasons[reason] ?? reason}` : said;
}

/** The id of an agent an entry is about, when it is about one. */
export const agentIn = ({ action, objectId }: Pick<AuditEntry, 'action' | 'objectId'>): string =>
  /^(login|right\.(agent|password))/.test(action) ? objectId : '';

/** Groups to choose from. */
export const groups = [
  ['', 'Everything'],
  ['login', 'Logins'],
  ['read', 'Reading'],
  ['download', 'Downloads'],
  ['export', 'Exports'],
  ['identity', 'Merges, moves and proofs'],
  ['reply', 'Answers to refuted senders'],
  ['erase', 'Erasures'],
  ['right', 'Agents, tokens, inboxes'],
  ['alert', 'Alerts'],
] as const;
