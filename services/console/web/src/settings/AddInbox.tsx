import { create } from '@bufbuild/protobuf';
import { Link } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { channelsQuery } from '../api/queries';
import { InboxSchema, type Channel, type Inbox } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { Dialog } from '../ui/Dialog';
import { cx } from '../ui/cx';
import { Failed, Skeleton } from '../ui/State';
import { Connect } from './Connect';
import { inOrder } from './fields';
import { savedWords } from './health';
import { InboxSettings } from './InboxSettings';
import { TestSteps } from './TestSteps';
import { useInboxEdit } from './useInboxEdit';

/** Adds an inbox in steps: which channel, its settings, whether it connects, what is left to do. */
export function AddInbox({ onClose }: { onClose(): void }) {
  const [channel, setChannel] = useState<Channel | undefined>();
  const [stage, setStage] = useState<Stage>('settings');
  const [saved, setSaved] = useState<Inbox | undefined>();
  const title = !channel ? 'Add an inbox' : saved ? `${saved.name} is there` : `Add ${channelName(channel.name)}`;
  // One dialog for all steps: a second one would lose the focus to what is behind it.
  return (
    <Dialog open onClose={onClose} wide firm={channel !== undefined && stage !== 'done'} title={title} {...(channel ? {} : { about: 'Where will customers write?' })}>
      {channel
        ? <Fill {...{ channel, stage, setStage, saved, setSaved, onClose }} onBack={() => setChannel(undefined)} />
        : <Choice onChannel={setChannel} />}
    </Dialog>
  );
}

function Choice({ onChannel }: { onChannel(channel: Channel): void }) {
  const { data, error, isPending, refetch } = useQuery(channelsQuery);
  return (
    <>
      {error && <Failed what="The channels could not be loaded." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={4} />}
      <ul className="grid gap-2 sm:grid-cols-2">
        {inOrder(data ?? []).map((one) => (
          <li key={one.name} className="flex">
            <button type="button" onClick={() => onChannel(one)} className="flex w-full flex-col gap-1 rounded-xl border bg-panel p-3 text-start hover:border-line-strong hover:bg-sunken">
              <span className="flex items-center gap-2 font-semibold"><span aria-hidden><ChannelIcon channel={one.name} size={18} /></span>{channelName(one.name)}</span>
              <span>{one.about}</span>
              {one.needs.length > 0 && <span className="text-xs text-muted">You need: {one.needs.join('; ')}.</span>}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

type Stage = 'settings' | 'test' | 'done';

type FillProps = {
  channel: Channel;
  stage: Stage;
  setStage(stage: Stage): void;
  saved: Inbox | undefined;
  setSaved(inbox: Inbox): void;
  onBack(): void;
  onClose(): void;
};

function Fill({ channel, stage, setStage, saved, setSaved, onBack, onClose }: FillProps) {
  const blank = useRef(create(InboxSchema, { channel: channel.name, source: 'console', name: channel.name === 'chat' ? 'Website chat' : '' }));
  const edit = useInboxEdit(channel, blank.current);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (stage !== 'settings') head.current?.focus(); // what was focused is gone
  }, [stage]);

  const save = async (): Promise<void> => {
    const inbox = await edit.save();
    if (!inbox) {
      setStage('settings');
      return;
    }
    setSaved(inbox);
    setStage('done');
  };
  const test = async (): Promise<void> => {
    setStage('test');
    if (!(await edit.test())) setStage('settings');
  };
  const stages: readonly (readonly [Stage, string])[] = [['settings', 'Settings'], ...(channel.testable ? [['test', 'Connection'] as const] : []), ['done', 'Finish']];
  const busy = edit.busy !== undefined;
  const unready = busy || edit.name.trim() === '' || edit.taken.has(edit.id);
  return (
    <>
      <ol className="mb-4 flex flex-wrap gap-x-4 gap-y-1 text-[13px]" aria-label="Steps">
        {stages.map(([key, words], i) => <li key={key} aria-current={stage === key ? 'step' : undefined} className={cx(stage === key ? 'font-semibold' : 'text-muted')}>{i + 1}. {words}</li>)}
      </ol>
      {stage === 'settings' && (
        <form aria-label="Settings" onSubmit={(event) => { event.preventDefault(); void (channel.testable ? test() : save()); }}>
          <InboxSettings channel={channel} edit={edit} />
          <div className="flex justify-end gap-2">
            <Button disabled={busy} onClick={onBack}>Back</Button>
            <Button look="primary" type="submit" disabled={unready}>{channel.testable ? 'Test the connection' : edit.busy === 'save' ? 'Saving…' : 'Save'}</Button>
          </div>
        </form>
      )}
      {stage === 'test' && (
        <section aria-label="Connection">
          <h3 ref={head} tabIndex={-1} className="mb-2 font-semibold outline-none">Does it connect?</h3>
          <TestSteps outcome={edit.outcome} busy={edit.busy === 'test'} />
          {edit.failure && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger">{edit.failure}</p>}
          <div className="flex flex-wrap justify-end gap-2">
            <Button disabled={busy} onClick={() => setStage('settings')}>Back to the settings</Button>
            <Button disabled={busy} onClick={() => void test()}>Test again</Button>
            <Button look={edit.outcome?.ok ? 'primary' : 'plain'} disabled={busy} onClick={() => void save()}>{edit.busy === 'save' ? 'Saving…' : edit.outcome && !edit.outcome.ok ? 'Save anyway' : 'Save'}</Button>
          </div>
        </section>
      )}
      {stage === 'done' && saved && (
        <section aria-label="Finish">
          <h3 ref={head} tabIndex={-1} className="mb-2 outline-none">{savedWords(edit.outcome)}</h3>
          <Connect inbox={saved} channel={channel} known={edit.values} />
          <div className="mt-4 flex flex-wrap items-center justify-end gap-3">
            <Link to="/inbox" search={{ inbox: saved.id }} className="underline">Show its conversations</Link>
            <Button look="primary" onClick={onClose}>Done</Button>
          </div>
        </section>
      )}
    </>
  );
}
