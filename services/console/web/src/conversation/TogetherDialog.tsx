import { useQuery } from '@tanstack/react-query';
import { Combine } from 'lucide-react';
import { useState } from 'react';
import { identity, inbox, newKey } from '../api/client';
import { describe } from '../api/error';
import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { isOn, millis } from '../live/cache';
import { useLive } from '../live/store';
import { refreshPersons } from '../person/refresh';
import { wordOf } from '../queue/filter';
import { Button } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { Dialog } from '../ui/Dialog';
import { Empty, Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { joinsOf, type Join } from './joins';

const subjectOf = (row: Conversation | undefined): string => (row ? row.subject || `${channelName(row.channel)} conversation` : 'Another conversation');

/** Shows conversations of one person as one, and apart again. Nothing is moved by either. */
export function TogetherDialog({ row, onClose }: { row: Conversation; onClose(): void }) {
  const timeline = useLive((s) => s.cache.timelines.get(row.customerId));
  const conversations = useLive((s) => s.cache.conversations);
  const [busy, setBusy] = useState(false);
  // Joins may be older than what is loaded of the timeline.
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['joins', row.id], staleTime: 0, gcTime: 0,
    queryFn: async () => joinsOf((await inbox.getTimeline({ customerId: row.customerId, conversationId: row.id, kinds: ['activity'], pageSize: 200 })).entries),
  });
  const with_ = new Set(timeline?.topics.find((topic) => topic.conversationIds.includes(row.id))?.conversationIds ?? []);
  const others = [...conversations.values()].filter((one) => one.id !== row.id && !with_.has(one.id) && timeline !== undefined && isOn(timeline, one.customerId)).sort((a, b) => millis(b.lastAt) - millis(a.lastAt));
  const run = async (what: () => Promise<unknown>, done: string): Promise<void> => {
    setBusy(true);
    try {
      await what();
      refreshPersons(row.customerId);
      say(done);
      onClose();
    } catch (failure) {
      say(`Not changed. ${describe(failure)}`, { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  const join = (other: Conversation) => run(() => identity.joinConversations({ a: row.id, b: other.id, idempotencyKey: newKey() }), 'They are shown as one now.');
  const unjoin = (one: Join) => run(() => identity.unjoinConversations({ ...one, idempotencyKey: newKey() }), 'They are shown apart again.');
  return (
    <Dialog open onClose={onClose} title="Show together with…" about="Both are shown as one conversation. Each keeps its own messages, and you can show them apart again.">
      {error !== null && <Failed what="What is shown together could not be listed." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={1} height={40} />}
      {data && data.length > 0 && (
        <ul aria-label="Shown together" className="mb-3 grid gap-1">
          {data.map((one) => <li key={one.joinId} className="flex items-center gap-2 rounded-lg bg-sunken px-2 py-1"><Combine size={14} aria-hidden className="text-muted" /><span className="min-w-0 flex-1 truncate"><bdi>{subjectOf(conversations.get(one.a === row.id ? one.b : one.a))}</bdi></span><Button small disabled={busy} onClick={() => void unjoin(one)}>Show apart</Button></li>)}
        </ul>
      )}
      {others.length === 0 && <Empty title="There is no other conversation with this person." />}
      <ul aria-label="Other conversations" className="scroll grid max-h-[44vh] gap-0.5">
        {others.map((one) => (
          <li key={one.id}>
            <button type="button" disabled={busy} onClick={() => void join(one)} className="flex min-h-11 w-full items-center gap-2 rounded-lg px-2 text-start hover:bg-select">
              <ChannelIcon channel={one.channel} /><span className="min-w-0 flex-1"><span className="block truncate font-medium"><bdi>{subjectOf(one)}</bdi></span><span className="text-xs text-muted">{wordOf(one.status)} · <When at={one.lastAt} /></span></span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
