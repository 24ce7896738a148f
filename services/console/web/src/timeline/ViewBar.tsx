import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { CalendarSearch, History, ListFilter, X } from 'lucide-react';
import { useState } from 'react';
import { useActions } from '../keyboard/actions';
import { Button } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import { Dialog } from '../ui/Dialog';
import { Input } from '../ui/Field';
import { isWhole, parseLocal, toggled, toLocal, wholeView, type View } from './view';

const kinds = [['message', 'Messages'], ['note', 'Notes'], ['event', 'Events'], ['activity', 'Activity']] as const;

/** Chooses what of the timeline is shown, and of when. */
export function ViewBar({ view, channels, onView }: { view: View; channels: readonly string[]; onView(view: View): void }) {
  const [asking, setAsking] = useState<'around' | 'asOf' | undefined>();
  const [unfolded, setUnfolded] = useState(false);
  const filtered = view.kinds.length > 0 || view.channels.length > 0;
  useActions({ 'as-of': () => setAsking('asOf') });
  const { asOf: _asOf, around: _around, ...plain } = view;
  return (
    <div className="flex flex-wrap items-center gap-1 border-b px-3 py-1">
      {/* A phone has no room for what is seldom used. */}
      {!filtered && <Button small look="ghost" className="sm:hidden" aria-expanded={unfolded} onClick={() => setUnfolded(!unfolded)}><ListFilter size={14} aria-hidden />Filter</Button>}
      <div role="group" aria-label="Show in the timeline" className={cx('flex flex-wrap gap-1', !unfolded && !filtered && 'max-sm:hidden')}>
        <Chip on={view.kinds.length === 0 && view.channels.length === 0} onChoose={() => onView({ ...view, kinds: [], channels: [] })}>All</Chip>
        {channels.length > 1 && channels.map((channel) => (
          <Chip key={channel} on={view.channels.includes(channel)} onChoose={() => onView({ ...view, channels: toggled(view.channels, channel) })}><ChannelIcon channel={channel} size={13} /><span aria-hidden className="hidden sm:inline">{channelName(channel)}</span></Chip>
        ))}
        {kinds.map(([kind, label]) => <Chip key={kind} on={view.kinds.includes(kind)} onChoose={() => onView({ ...view, kinds: toggled(view.kinds, kind) })}>{label}</Chip>)}
      </div>
      <span className="ms-auto flex flex-wrap gap-1">
        <Button small look="ghost" title="Go to a date" onClick={() => setAsking('around')}><CalendarSearch size={14} aria-hidden /><span className="max-[1599px]:sr-only">Go to date…</span></Button>
        <Button small look="ghost" title="Show it as it was (h)" onClick={() => setAsking('asOf')}><History size={14} aria-hidden /><span className="max-[1599px]:sr-only">As it was…</span></Button>
        {!isWhole(view) && !view.asOf && <Button small onClick={() => onView(wholeView)}><X size={13} aria-hidden />Show all</Button>}
      </span>
      {asking && <Ask what={asking} onClose={() => setAsking(undefined)} onChoose={(ms) => { setAsking(undefined); onView({ ...plain, [asking]: timestampFromMs(ms) }); }} />}
    </div>
  );
}

function Chip({ on, onChoose, children }: { on: boolean; onChoose(): void; children: React.ReactNode }) {
  return <button aria-pressed={on} onClick={onChoose} className={cx('flex min-h-7 items-center gap-1 rounded-full border px-2.5 text-[13px]', on ? 'border-accent-text bg-accent-soft font-semibold text-accent-text' : 'border-line-strong/40 text-muted hover:border-line-strong')}>{children}</button>;
}

function Ask({ what, onChoose, onClose }: { what: 'around' | 'asOf'; onChoose(ms: number): void; onClose(): void }) {
  const [text, setText] = useState(what === 'around' ? toLocal(Date.now()).slice(0, 10) : toLocal(Date.now()));
  const at = parseLocal(text);
  const future = at !== undefined && what === 'asOf' && at > Date.now();
  return (
    <Dialog open onClose={onClose} title={what === 'around' ? 'Go to a date' : 'Show it as it was'} about={what === 'around' ? 'The timeline opens at the end of that day.' : 'The timeline is shown exactly as it was then, without what came later. What was erased since stays erased.'}>
      <form onSubmit={(event) => { event.preventDefault(); if (at !== undefined && !future) onChoose(at); }}>
        <Input autoFocus label={what === 'around' ? 'Date' : 'Date and time'} type={what === 'around' ? 'date' : 'datetime-local'} value={text} onValue={setText} error={future ? 'This is in the future.' : undefined} />
        <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button look="primary" type="submit" disabled={at === undefined || future}>Show</Button></div>
      </form>
    </Dialog>
  );
}
