import { PlugZap, Trash2 } from 'lucide-react';
import { useState } from 'react';
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
    <Dialog open onClose={onClose} wide title={`Change ${inbox.name}`}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <InboxSettings channel={channel} edit={edit} />
        <div className="sticky -bottom-5 -mx-5 -mb-5 border-t bg-raised px-5 py-3">
          <TestSteps outcome={edit.outcome} busy={edit.busy === 'test'} />
          <div className="flex flex-wrap items-center gap-2">
            {sure
              ? <Button look="danger" disabled={busy} onClick={() => void drop()}><Trash2 size={14} aria-hidden />Yes, remove it</Button>
              : <Button look="ghost" className="text-danger!" onClick={() => setSure(true)}><Trash2 size={14} aria-hidden />Remove…</Button>}
            <span className="ms-auto" />
            {channel.testable && <Button disabled={busy} onClick={() => void edit.test()}><PlugZap size={14} aria-hidden />Test</Button>}
            <Button look="primary" type="submit" disabled={busy || edit.name.trim() === ''}>{edit.busy === 'save' ? 'Saving…' : 'Save'}</Button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}
