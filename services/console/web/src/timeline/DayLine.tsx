import { times } from '../ui/locale';
import { useNow } from '../ui/When';

const days = (at: number, today: number): number => Math.round((new Date(today).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);

/** "Today", "Yesterday", "Tuesday, 3 November 2026". */
export function dayWord(at: number, today: number): string {
  const ago = days(at, today);
  if (ago === 0) return 'Today';
  if (ago === 1) return 'Yesterday';
  const sameYear = new Date(at).getFullYear() === new Date(today).getFullYear();
  return times({ weekday: 'long', day: 'numeric', month: 'long', ...(sameYear ? {} : { year: 'numeric' }) }).format(at);
}

/** Where another day begins. */
export function DayLine({ at }: { at: number }) {
  const today = useNow();
  return <p className="pt-3 pb-1 text-center text-xs font-medium text-muted"><time dateTime={new Date(at).toISOString().slice(0, 10)}>{dayWord(at, today)}</time></p>;
}
