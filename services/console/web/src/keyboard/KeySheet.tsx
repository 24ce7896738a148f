import { prefer, usePreferences } from '../shell/preferences';
import { Dialog } from '../ui/Dialog';
import { KeyTable } from './KeyTable';

export function KeySheet({ onClose }: { onClose(): void }) {
  const singles = usePreferences((s) => s.singleKeys);
  return (
    <Dialog open onClose={onClose} title="Keyboard shortcuts" wide>
      <label className="mb-3 flex min-h-8 items-center gap-2"><input type="checkbox" className="size-4" checked={singles} onChange={(event) => prefer({ singleKeys: event.target.checked })} />Single-letter shortcuts</label>
      <KeyTable />
    </Dialog>
  );
}
