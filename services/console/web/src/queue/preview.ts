import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';

/** Channels where nobody takes back what he wrote. */
const lasting = ['chat', 'email', 'sms'];

/** The last line of a row. Of a message without words the row does not say what it held; there is none where nobody can be answered any more. */
export function previewOf(row: Pick<Conversation, 'preview' | 'messages' | 'channel' | 'replyTarget'>): string {
  if (row.preview || row.messages === 0n || !row.replyTarget) return row.preview;
  return lasting.includes(row.channel) ? 'A file' : 'A file or a deleted message';
}
