import { History, Undo2 } from 'lucide-react';
import { millis } from '../live/cache';
import { Button } from '../ui/Button';
import { times } from '../ui/locale';
import type { Moment } from './view';

/** Says that what is shown is the past, and leads back. */
export function PastBanner({ at, onNow }: { at: Moment; onNow(): void }) {
  const words = times({ dateStyle: 'full', timeStyle: 'medium' }).format(millis(at));
  return (
    <div role="status" className="flex flex-wrap items-center gap-2 border-b border-note-line bg-note px-3 py-1.5 text-note-ink">
      <History size={16} aria-hidden className="shrink-0" />
      <p className="min-w-40 flex-1"><b className="font-semibold">As it was on <bdi>{words}</bdi>.</b> Nothing can be sent or changed from here. The customer’s own pane is as it is today.</p>
      <Button small onClick={onNow}><Undo2 size={14} aria-hidden className="rtl:scale-x-[-1]" />Back to now</Button>
    </div>
  );
}
