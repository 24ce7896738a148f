import { Combine, MoreHorizontal, Scissors, Speech } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import type { Conversation } from '../gen/weftline/inbox/v1/types_pb';
import { beginSelecting } from '../timeline/selecting';
import { IconButton } from '../ui/Button';
import { Menu, MenuItem } from '../ui/Menu';

const TogetherDialog = lazy(() => import('./TogetherDialog').then((m) => ({ default: m.TogetherDialog })));
const SpeakerDialog = lazy(() => import('./SpeakerDialog').then((m) => ({ default: m.SpeakerDialog })));

/** What is done seldom to a conversation: split, show together, who spoke. */
export function MoreMenu({ row }: { row: Conversation }) {
  const [over, setOver] = useState<'together' | 'speaker' | undefined>();
  return (
    <>
      <Menu label="More about this conversation" trigger={<IconButton label="More about this conversation" className="size-7!"><MoreHorizontal size={15} aria-hidden /></IconButton>}>
        <MenuItem icon={<Scissors size={14} />} onSelect={() => beginSelecting(row.id)}>Split messages off…</MenuItem>
        <MenuItem icon={<Combine size={14} />} onSelect={() => setOver('together')}>Show together with…</MenuItem>
        <MenuItem icon={<Speech size={14} />} onSelect={() => setOver('speaker')}>Who spoke…</MenuItem>
      </Menu>
      <Suspense fallback={null}>
        {over === 'together' && <TogetherDialog row={row} onClose={() => setOver(undefined)} />}
        {over === 'speaker' && <SpeakerDialog row={row} onClose={() => setOver(undefined)} />}
      </Suspense>
    </>
  );
}
