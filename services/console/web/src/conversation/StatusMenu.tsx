import { AlarmClock, CheckCircle2, ChevronDown, CircleDot, Hourglass } from 'lucide-react';
import { useState } from 'react';
import { Status, type Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { useActions } from '../keyboard/actions';
import { millis } from '../live/cache';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Input } from '../ui/Field';
import { Menu, MenuItem } from '../ui/Menu';
import { moment } from '../ui/When';
import { say } from '../ui/toast';
import { setStatus, toggleClosed } from './act';
import { parse, presets } from './snooze';

/** How a status looks and is called. */
export const statusFaces = {
  [Status.UNSPECIFIED]: { label: 'Open', icon: CircleDot, tint: 'text-accent-text' },
  [Status.OPEN]: { label: 'Open', icon: CircleDot, tint: 'text-accent-text' },
  [Status.PENDING]: { label: 'Pending', icon: Hourglass, tint: 'text-warn' },
  [Status.SNOOZED]: { label: 'Snoozed', icon: AlarmClock, tint: 'text-muted' },
  [Status.CLOSED]: { label: 'Closed', icon: CheckCircle2, tint: 'text-ok' },
} as const;

export function StatusMenu({ row }: { row: Conversation }) {
  const [snoozing, setSnoozing] = useState(false);
  useActions({ snooze: () => setSnoozing(true) });
  const { label, icon: Icon, tint } = statusFaces[row.status];
  const until = row.status === Status.SNOOZED && row.snoozedUntil ? ` until ${moment(millis(row.snoozedUntil))}` : '';
  return (
    <>
      <Menu label="Status" trigger={<Button small><Icon size={14} aria-hidden className={tint} /><span className="sr-only">Status: </span>{label}{until}<ChevronDown size={13} aria-hidden /></Button>}>
        {row.status !== Status.OPEN && <MenuItem icon={<CircleDot size={15} />} hint={row.status === Status.CLOSED ? 'e' : ''} onSelect={() => void setStatus(row.id, Status.OPEN)}>Open</MenuItem>}
        {row.status !== Status.PENDING && <MenuItem icon={<Hourglass size={15} />} onSelect={() => void setStatus(row.id, Status.PENDING)}>Pending: waiting for someone</MenuItem>}
        <MenuItem icon={<AlarmClock size={15} />} hint="s" onSelect={() => setSnoozing(true)}>Snooze…</MenuItem>
        {row.status !== Status.CLOSED && <MenuItem icon={<CheckCircle2 size={15} />} hint="e" onSelect={() => void toggleClosed(row)}>Close</MenuItem>}
      </Menu>
      <SnoozeDialog row={row} open={snoozing} onClose={() => setSnoozing(false)} />
    </>
  );
}

function SnoozeDialog({ row, open, onClose }: { row: Conversation; open: boolean; onClose(): void }) {
  const [text, setText] = useState('');
  const now = new Date();
  const typed = parse(text, now);
  const choices = presets(now);
  const meant = typed ?? (text.trim() === '' ? choices[0]?.at : undefined); // Enter alone is the first choice
  const snooze = (at: Date): void => {
    onClose();
    setText('');
    void setStatus(row.id, Status.SNOOZED, at.getTime()).then((done) => done && say(`Snoozed until ${moment(at.getTime())}.`, { action: { label: 'Undo', run: () => void setStatus(row.id, Status.OPEN) } }));
  };
  return (
    <Dialog open={open} onClose={onClose} title="Snooze" about="It comes back by itself, or as soon as the customer writes.">
      <form onSubmit={(event) => { event.preventDefault(); if (meant) snooze(meant); }}>
        <Input
          label="Until"
          value={text}
          onValue={setText}
          autoFocus
          placeholder="tue 9am · tomorrow 14:30 · 3 days"
          error={text && !typed ? 'Not a time to come within a year. Try “tue 9am”.' : undefined}
          help={typed ? moment(typed.getTime()) : `Enter: ${choices[0]?.label.toLowerCase()}`}
        />
      </form>
      <ul className="grid gap-1">
        {choices.map(({ label, at }) => (
          <li key={label}>
            <button onClick={() => snooze(at)} className="flex min-h-9 w-full items-center justify-between rounded-lg px-2 hover:bg-select">
              <span>{label}</span><span className="text-muted">{moment(at.getTime())}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
