import { CheckCircle2, CircleDashed, XCircle } from 'lucide-react';
import type { TestInboxResponse } from '../gen/weftline/console/v1/console_pb';

/** What a live test did, step by step, in the provider's words. */
export function TestSteps({ outcome, busy }: { outcome: TestInboxResponse | undefined; busy: boolean }) {
  return (
    <div role="status">
      {busy && <p className="mb-3 flex items-center gap-2 rounded-lg bg-sunken px-3 py-2 text-muted"><CircleDashed size={16} aria-hidden className="motion-safe:animate-spin" />Connecting… this takes at most half a minute.</p>}
      {!busy && outcome && (
        <>
          <p className="mb-2 font-semibold">{outcome.ok ? 'It works.' : 'It does not work yet.'}</p>
          {outcome.steps.length > 0 && (
            <ol className="mb-3 grid gap-1.5">
              {outcome.steps.map((step, i) => (
                <li key={i} className={`flex items-start gap-2 rounded-lg px-3 py-2 ${step.ok ? 'bg-accent-soft text-accent-text' : 'bg-danger-soft text-danger'}`}>
                  {step.ok ? <CheckCircle2 size={16} aria-hidden className="mt-0.5 shrink-0" /> : <XCircle size={16} aria-hidden className="mt-0.5 shrink-0" />}
                  <span className="min-w-0"><span className="font-medium">{step.name}: {step.ok ? 'ok' : 'failed'}</span>{step.detail && <span className="said block text-[13px] break-words"><bdi>{step.detail}</bdi></span>}</span>
                </li>
              ))}
            </ol>
          )}
          {outcome.steps.length === 0 && outcome.detail && <p className={`said mb-3 rounded-lg px-3 py-2 ${outcome.ok ? 'bg-accent-soft text-accent-text' : 'bg-danger-soft text-danger'}`}>{outcome.detail}</p>}
        </>
      )}
    </div>
  );
}
