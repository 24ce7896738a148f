import type { Topic } from '../gen/weftline/inbox/v1/inbox_pb';
import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';

type Topics = { readonly topics: readonly Topic[] };
type Parts = Topics & { readonly fragments: readonly Conversation[] };

/** What a conversation is shown as: the topic it is of, or itself. */
export function topicOf(source: Topics): (conversationId: string) => string {
  const of = new Map(source.topics.flatMap((topic) => topic.conversationIds.map((id) => [id, topic.id] as const)));
  return (id) => of.get(id) ?? id;
}

/** Where a reply goes when the conversation is shown together with others: the first of them that is open. */
export function answerable(row: Conversation, timeline: Parts, rowOf: (id: string) => Conversation | undefined, open: (row: Conversation) => boolean): Conversation {
  const topic = timeline.topics.find((one) => one.conversationIds.includes(row.id));
  const apart = new Set(timeline.fragments.map((fragment) => fragment.id));
  const rows = (topic?.conversationIds ?? []).filter((id) => !apart.has(id)).map(rowOf);
  return rows.find((one) => one !== undefined && open(one)) ?? row;
}
