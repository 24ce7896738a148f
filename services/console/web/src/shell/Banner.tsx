import { CloudOff, RefreshCw, Lock, Sparkles } from 'lucide-react';
import { useEffect, useState } from 'react';
import { connection } from '../live/live';
import { useLive } from '../live/store';
import { useOutbox } from '../outbox/outbox';
import { Button } from '../ui/Button';
import { clock } from '../ui/When';

/** What the agent must know about how true the screen is. Nothing while all is live. */
export function Banner() {
  const standing = useLive((s) => s.standing);
  const outdated = useLive((s) => s.outdated);
  const queued = useOutbox((s) => s.items.filter((item) => item.state === 'queued').length);
  const left = useCountdown(standing.phase === 'offline' ? standing.retryAt : 0);
  const late = useLate(standing.phase === 'catching-up' || standing.phase === 'connecting', 1_500);

  return (
    <div role="status" aria-live="polite">
      {standing.phase === 'offline' && (
        <Strip tone="warn" icon={<CloudOff size={16} aria-hidden />}>
          <span><b>Offline{standing.heardAt > 0 && `, last updated ${clock(standing.heardAt)}`}.</b> Reading works{queued > 0 ? `, ${queued} waiting to be sent` : ', replies are kept and sent later'}.</span>
          <span aria-hidden className="text-xs">{left > 0 ? `Next try in ${left} s` : 'Trying…'}</span>
          <Button small onClick={() => connection.hurry()}><RefreshCw size={14} aria-hidden />Retry now</Button>
        </Strip>
      )}
      {standing.phase === 'read-only' && (
        <Strip tone="warn" icon={<Lock size={16} aria-hidden />}>
          <span><b>Read-only.</b> The hub no longer accepts this page. What you typed is kept.</span>
          <Button small onClick={() => location.reload()}>Reload</Button>
        </Strip>
      )}
      {late && <Strip tone="plain" icon={<RefreshCw size={16} aria-hidden className="motion-safe:animate-spin" />}><span>Catching up…</span></Strip>}
      {outdated && (
        <Strip tone="plain" icon={<Sparkles size={16} aria-hidden />}>
          <span>A new version of Weftline is running.</span>
          <Button small onClick={() => location.reload()}>Reload</Button>
        </Strip>
      )}
    </div>
  );
}

function Strip({ tone, icon, children }: { tone: 'warn' | 'plain'; icon: React.ReactNode; children: React.ReactNode }) {
  return (
    <div className={`flex flex-wrap items-center justify-center gap-x-3 gap-y-1 border-b px-3 py-1.5 ${tone === 'warn' ? 'bg-warn-soft text-warn' : 'bg-accent-soft text-accent-text'}`}>
      {icon}{children}
    </div>
  );
}

/** True once the condition has held for ms: short catch-ups need no words. */
function useLate(condition: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!condition) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [condition, ms]);
  return late;
}

function useCountdown(until: number): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const tick = (): void => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    tick();
    if (!until) return;
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [until]);
  return left;
}
