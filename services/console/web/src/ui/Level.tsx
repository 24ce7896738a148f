import { BadgeCheck, CircleHelp, Eye, KeyRound, ShieldCheck } from 'lucide-react';
import { assurances } from '../timeline/delivery';
import { cx } from './cx';

const icons = [CircleHelp, Eye, BadgeCheck, ShieldCheck, KeyRound] as const;

/** How sure we are that an address is his: a sign and a word, 0 to 4. */
export function Level({ of, size = 12, className }: { of: number; size?: number; className?: string }) {
  const at = Math.min(4, Math.max(0, of));
  const Icon = icons[at]!;
  return (
    <span title={assurances[at]!.plain} className={cx('inline-flex items-center gap-1 whitespace-nowrap', at < 1 && 'text-warn', className)}>
      <Icon size={size} aria-hidden className="shrink-0" />{assurances[at]!.label}
    </span>
  );
}
