import { Link } from '@tanstack/react-router';
import { Repeat } from 'lucide-react';
import type { Repeats } from '../gen/weftline/identity/v1/types_pb';
import { repeated, repeatParts } from './words';

/** How often he had to explain the same thing again, and what is counted. */
export function RepeatMeter({ of }: { of: Repeats | undefined }) {
  const words = of ? repeated(of) : '';
  if (!of || !words) return null;
  return (
    <details className="mb-4 rounded-xl bg-sunken px-2.5 py-1.5">
      <summary className="flex min-h-7 cursor-pointer list-none items-center gap-2 text-[13px] font-medium"><Repeat size={14} aria-hidden className="text-warn" /><span className="underline decoration-dotted underline-offset-4">{words}</span></summary>
      <ul className="list-disc ps-5 text-xs text-muted">{repeatParts(of).map((part) => <li key={part}>{part}</li>)}</ul>
      <p className="mt-1 text-xs text-muted">Of {String(of.conversations)} {of.conversations === 1n ? 'conversation' : 'conversations'}. It counts when somebody has to begin anew: about the same thing, over another channel, or with another agent. <Link to="/settings/repeats" className="underline">Everybody’s</Link></p>
    </details>
  );
}
