import { Check } from 'lucide-react';
import type { AttributeConflict } from '../gen/weftline/identity/v1/types_pb';
import { cx } from '../ui/cx';

/** Attributes both sides have with different values; the newer one would be shown, the other is kept where it is. */
export function Conflicts({ of }: { of: readonly AttributeConflict[] }) {
  if (of.length === 0) return null;
  return (
    <div className="mb-4">
      <table className="w-full table-fixed border-collapse text-start">
        <caption className="mb-1 text-start text-xs font-semibold text-muted">Attributes that differ: the newer one is shown, the other is kept where it is</caption>
        <thead><tr className="border-b text-xs text-muted">{['Attribute', 'A', 'B'].map((title) => <th key={title} scope="col" className="px-2 py-1 text-start font-medium">{title}</th>)}</tr></thead>
        <tbody>
          {of.map((one) => (
            <tr key={one.name} className="border-b last:border-b-0">
              <th scope="row" className="px-2 py-1 text-start font-medium break-words">{one.name}</th>
              <Value value={one.a} shown={one.a === one.shown} />
              <Value value={one.b} shown={one.b === one.shown} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ value, shown }: { value: string; shown: boolean }) {
  return (
    <td className={cx('px-2 py-1 align-top break-words', shown ? 'font-semibold' : 'text-muted')}>
      <bdi>{value}</bdi>{shown && <span className="ms-1.5 inline-flex items-center gap-0.5 rounded bg-accent-soft px-1 text-xs font-medium text-accent-text"><Check size={11} aria-hidden />shown</span>}
    </td>
  );
}
