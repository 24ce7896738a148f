import { PlugZap, Trash2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { Channel, Inbox } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { say } from '../ui/toast';
import { InboxSettings } from './InboxSettings';
import { TestSteps } from './TestSteps';
import { useInboxEdit } from './useInboxEdit';

/** Changes an inbox. Secrets are never shown; left empty they stay as they are. */
export function InboxForm({ inbox, channel, onClose }: { inbox: Inbox; channel: Channel; onClose(): void }) {
  const edit = useInboxEdit(channel, inbox);
  const [sure, setSure] = useState(false);
  const busy = edit.busy !== undefined;
  const tried = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (edit.outcome || edit.busy === 'test') tried.current?.scrollIntoView({ block: 'end' });
  }, [edit.outcome, edit.busy]);
  const save = async (): Promise<void> => {
    if (!(await edit.save())) return;
    say('Inbox changed.');
    onClose();
  };
  const drop = async (): Promise<void> => {
    if (!(await edit.drop())) return;
    say('Inbox removed. What was said in it stays.');
    onClose();
  };
  return (
    <Dialog open onClose={onClose} wide firm title={`Change ${inbox.name}`}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <InboxSettings channel={channel} edit={edit} />
        <div ref={tried} className="scroll-mb-16"><TestSteps outcome={edit.outcome} busy={edit.busy === 'test'} /></div>
        <div className="sticky -bottom-5 -mx-5 -mb-5 border-t bg-raised px-5 py-3">
          <div className="flex flex-wrap items-center gap-2">
            {sure ? <Removal busy={busy} onKeep={() => setSure(false)} onRemove={() => void drop()} /> : (
              <>
                <Button look="ghost" className="text-danger!" disabled={busy} onClick={() => setSure(true)}><Trash2 size={14} aria-hidden />Remove…</Button>
                <span className="ms-auto" />
                {channel.testable && <Button disabled={busy} onClick={() => void edit.test()}><PlugZap size={14} aria-hidden />Test</Button>}
                <Button look="primary" type="submit" disabled={busy || edit.name.trim() === ''}>{edit.busy === 'save' ? 'Saving…' : 'Save'}</Button>
              </>
            )}
          </div>
        </div>
      </form>
    </Dialog>
  );
}

/** Asks once more. It stands elsewhere than what was pressed, so that a second click removes nothing. */
function Removal({ busy, onKeep, onRemove }: { busy: boolean; onKeep(): void; onRemove(): void }) {
  return (
    <div className="w-full">
      <p role="alert" className="mb-2">Nothing comes in or goes out by this inbox any more, and its settings are gone. What was said in it stays.</p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button autoFocus disabled={busy} onClick={onKeep}>Keep it</Button>
        <Button look="danger" disabled={busy} onClick={onRemove}><Trash2 size={14} aria-hidden />Yes, remove it</Button>
      </div>
    </div>
  );
}
