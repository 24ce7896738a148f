import { reasons, weekWord, type Week } from './repeats';

const tints = { newConversation: 'bg-accent', newChannel: 'bg-note-line', newAgent: 'bg-phone' } as const;

/** Weeks as a table; the bar beside a figure says the same to the eye. */
export function RepeatWeeks({ of }: { of: readonly Week[] }) {
  const most = Math.max(1, ...of.map((week) => week.total));
  return (
    <>
      <ul aria-hidden className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-muted">
        {reasons.map(({ field, label }) => <li key={field} className="flex items-center gap-1.5"><span className={`size-2.5 rounded-sm ${tints[field]}`} />{label}</li>)}
      </ul>
      <div role="region" aria-label="Repeats by week" tabIndex={0} className="scroll max-h-96 overflow-auto rounded-xl border bg-panel">
        <table className="w-full text-start">
          <caption className="sr-only">Repeats by week, the newest first</caption>
          <thead className="sticky top-0 bg-panel">
            <tr className="border-b text-xs text-muted">
              <th scope="col" className="px-3 py-2 text-start font-medium">Week</th>
              <th scope="col" className="px-3 py-2 text-end font-medium">Total</th>
              <td aria-hidden className="hidden w-2/5 sm:table-cell" />
              {reasons.map(({ field, label }) => <th key={field} scope="col" className="px-3 py-2 text-end font-medium">{label}</th>)}
              <th scope="col" className="px-3 py-2 text-end font-medium">Conversations</th>
            </tr>
          </thead>
          <tbody>
            {of.map((week) => (
              <tr key={week.monday} className="border-b last:border-b-0">
                <th scope="row" className="px-3 py-1.5 text-start font-medium whitespace-nowrap">{weekWord(week.monday)}{week.days < 7 && <span className="block text-xs font-normal text-muted">{week.days} {week.days === 1 ? 'day' : 'days'}</span>}</th>
                <td className="px-3 py-1.5 text-end font-semibold tabular-nums">{week.total}</td>
                <td aria-hidden className="hidden px-3 py-1.5 sm:table-cell">
                  <span className="flex h-3 overflow-hidden rounded-sm" style={{ width: `${(week.total / most) * 100}%` }}>
                    {reasons.map(({ field }) => <span key={field} className={tints[field]} style={{ flexGrow: week[field] }} />)}
                  </span>
                </td>
                {reasons.map(({ field }) => <td key={field} className="px-3 py-1.5 text-end text-muted tabular-nums">{week[field]}</td>)}
                <td className="px-3 py-1.5 text-end text-muted tabular-nums">{week.conversations}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
