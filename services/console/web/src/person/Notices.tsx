import { AlertTriangle, Ban, RefreshCw } from 'lucide-react';
import type { Warning } from '../gen/weftline/identity/v1/types_pb';

/** What somebody should know before he goes on, the gravest first as the hub sorts them. */
export function Warnings({ of }: { of: readonly Warning[] }) {
  if (of.length === 0) return null;
  return (
    <ul aria-label="Warnings" className="mb-3 grid gap-1">
      {of.map((warning, i) => (
        <li key={i} className="flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-1.5 text-warn"><AlertTriangle size={15} aria-hidden className="mt-0.5 shrink-0" /><bdi>{warning.text}</bdi></li>
      ))}
    </ul>
  );
}

/** Why it would be refused. */
export function Refused({ why }: { why: string }) {
  if (!why) return null;
  return <p role="alert" className="mb-3 flex items-start gap-2 rounded-lg bg-danger-soft px-3 py-2 text-danger"><Ban size={16} aria-hidden className="mt-0.5 shrink-0" /><span>This cannot be done: <bdi>{why}</bdi></span></p>;
}

/** What changed between the preview and the order. */
export function Stale({ changes }: { changes: readonly string[] | undefined }) {
  if (!changes) return null;
  return (
    <div role="alert" className="mb-3 rounded-lg border border-warn/50 bg-warn-soft px-3 py-2 text-warn">
      <p className="flex items-center gap-2 font-semibold"><RefreshCw size={15} aria-hidden />Something changed while you were looking. Nothing was done.</p>
      {changes.length > 0 && <ul className="ms-6 list-disc">{changes.map((change) => <li key={change}><bdi>{change}</bdi></li>)}</ul>}
      <p>This is how it stands now. Look again, and confirm once more.</p>
    </div>
  );
}
