import { RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';
import { describe } from '../api/error';
import { Button } from './Button';

/** Nothing to show: one sentence, one thing to do. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className="grid h-full place-items-center p-6 text-center">
      <div className="max-w-sm">
        {icon && <div className="mx-auto mb-3 grid size-12 place-items-center rounded-2xl bg-accent-soft text-accent-text">{icon}</div>}
        <p className="font-semibold">{title}</p>
        {children && <div className="mt-1 text-muted">{children}</div>}
      </div>
    </div>
  );
}

/** What failed, and once more. */
export function Failed({ what, error, onRetry }: { what: string; error: unknown; onRetry?: () => void }) {
  return (
    <div role="alert" className="m-3 rounded-xl border border-danger/40 bg-danger-soft p-3">
      <p className="font-semibold text-danger">{what}</p>
      <p className="mb-2">{describe(error)}</p>
      {onRetry && <Button small onClick={onRetry}><RotateCw size={14} aria-hidden />Retry</Button>}
    </div>
  );
}

export function Skeleton({ rows = 8, height = 72 }: { rows?: number; height?: number }) {
  return (
    <div aria-busy="true" className="p-3">
      <span className="sr-only">Loading…</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="flex gap-3 py-2" style={{ height }}>
          <div className="skeleton size-9 rounded-full!" />
          <div className="flex-1"><div className="skeleton mb-2 h-3.5 w-2/5" /><div className="skeleton mb-2 h-3 w-4/5" /><div className="skeleton h-3 w-3/5" /></div>
        </div>
      ))}
    </div>
  );
}
