import { X } from 'lucide-react';
import { cx } from './cx';
import { hush, useToasts } from './toast';

/**
 * What was said, for a while. Where the page has a rail, at its foot beside it:
 * over the foot of a list, or over nothing, and never over a button or the place
 * where something is written. On a phone at the top, away from the thumb.
 */
export function Toasts() {
  const toasts = useToasts((s) => s.toasts);
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 top-3 z-50 flex flex-col items-center gap-2 px-3 min-[860px]:inset-x-auto min-[860px]:start-[68px] min-[860px]:top-auto min-[860px]:bottom-3 min-[860px]:w-[clamp(280px,26vw,360px)] min-[860px]:items-stretch">
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={cx(
            'pointer-events-auto flex items-center gap-3 rounded-xl border px-4 py-2 shadow-pop motion-safe:animate-[rise_.15s_ease-out]',
            toast.tone === 'bad' ? 'border-danger/40 bg-danger-soft text-danger' : 'bg-ink text-panel',
          )}
        >
          <span className="min-w-0 flex-1 break-words">{toast.text}</span>
          {toast.action && (
            <button className="min-h-7 rounded px-1 font-semibold underline underline-offset-2" onClick={() => { toast.action!.run(); hush(toast.id); }}>
              {toast.action.label}
            </button>
          )}
          <button aria-label="Dismiss" className="grid size-7 place-items-center rounded" onClick={() => hush(toast.id)}><X size={14} aria-hidden /></button>
        </div>
      ))}
    </div>
  );
}
