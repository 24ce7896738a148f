import { useNavigate } from '@tanstack/react-router';
import { Scissors } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { identity, newKey } from '../api/client';
import { describe } from '../api/error';
import { loadConversation } from '../live/load';
import { refreshPersons } from '../person/refresh';
import { endSelecting, useSelecting } from '../timeline/selecting';
import { Button } from '../ui/Button';
import { say } from '../ui/toast';

/** In the composer's place while messages are chosen to become a conversation of their own. */
export function SelectBar({ conversationId, customerId }: { conversationId: string; customerId: string }) {
  const ids = useSelecting((s) => s.ids);
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const bar = useRef<HTMLElement>(null);
  const key = useRef(newKey());
  useEffect(() => {
    bar.current?.focus();
    return endSelecting;
  }, []);
  const split = async (): Promise<void> => {
    setBusy(true);
    try {
      const answer = await identity.splitConversation({ conversationId, entryIds: [...ids], idempotencyKey: key.current });
      refreshPersons(customerId);
      await loadConversation(answer.conversationId).catch(() => {});
      say('They are a conversation of their own now.');
      endSelecting();
      void navigate({ to: '/c/$conversationId', params: { conversationId: answer.conversationId }, search: {} });
    } catch (error) {
      key.current = newKey();
      say(`Not split. ${describe(error)}`, { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  return (
    <section ref={bar} aria-label="Messages chosen" data-pane="composer" tabIndex={-1} onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); endSelecting(); } }} className="flex flex-wrap items-center gap-2 border-t-2 bg-panel px-3 py-3 outline-none">
      <p role="status" className="min-w-40 flex-1">{ids.length === 0 ? 'Take the messages that are about something else.' : `${ids.length} ${ids.length === 1 ? 'message' : 'messages'} taken.`}</p>
      <Button onClick={endSelecting}>Cancel</Button>
      <Button look="primary" disabled={busy || ids.length === 0} onClick={() => void split()}><Scissors size={14} aria-hidden />Show as a conversation of its own</Button>
    </section>
  );
}
