import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { identity } from '../api/client';
import { isUnimplemented } from '../api/error';
import { Select } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { RepeatList } from './RepeatList';
import { rate, reasons, weeksOf } from './repeats';
import { RepeatWeeks } from './RepeatWeeks';
import { PageHead } from './SettingsPage';

const spans = [['28', 'The last 4 weeks'], ['91', 'The last 13 weeks'], ['182', 'The last 26 weeks'], ['364', 'The last 52 weeks']] as const;

/** How often customers had to explain the same thing again: everybody's figures, by reason, by week, and one by one. */
export function RepeatsPage() {
  const [days, setDays] = useState('28');
  const { data, error, isPending, refetch } = useQuery({ queryKey: ['repeats', days], queryFn: () => identity.getRepeats({ days: Number(days) }), staleTime: 0, placeholderData: (before) => before });
  return (
    <>
      <PageHead title="Repeats" about="How often customers had to explain the same thing again. Every one of them is a customer who was not known.">
        <div className="w-full sm:w-48"><Select label="Time" value={days} onValue={setDays} options={spans} /></div>
      </PageHead>
      {isPending && <Skeleton rows={3} height={64} />}
      {error && (isUnimplemented(error) ? <p className="text-muted">This hub does not count repeats.</p> : <Failed what="The figures could not be loaded." error={error} onRetry={() => void refetch()} />)}
      {data?.repeats && (
        <>
          <section aria-labelledby="repeat-total" className="mb-8">
            <h2 id="repeat-total" className="mb-2 font-semibold">In total</h2>
            <dl className="grid gap-2 sm:grid-cols-2 lg:grid-cols-4">
              <Figure label="Explained again" value={data.repeats.total} plain={rate(data.repeats) ? `${rate(data.repeats)} for every 100 conversations that customers began (${data.repeats.conversations}).` : 'No customer began a conversation.'} strong />
              {reasons.map(({ field, label, plain }) => <Figure key={field} label={label} value={data.repeats![field]} plain={plain} />)}
            </dl>
          </section>
          <section aria-labelledby="repeat-weeks" className="mb-8"><h2 id="repeat-weeks" className="mb-2 font-semibold">By week</h2><RepeatWeeks of={weeksOf(data.days)} /></section>
          <section aria-labelledby="repeat-latest" className="mb-8"><h2 id="repeat-latest" className="mb-2 font-semibold">The latest</h2><RepeatList /></section>
          <section aria-labelledby="repeat-definition">
            <h2 id="repeat-definition" className="mb-2 font-semibold">What is counted</h2>
            <div className="max-w-prose space-y-2 text-muted" lang="en">{data.definition.split('\n').map((line) => <p key={line}>{line}</p>)}</div>
          </section>
        </>
      )}
    </>
  );
}

function Figure({ label, value, plain, strong }: { label: string; value: bigint; plain: string; strong?: boolean }) {
  return (
    <div className={`flex flex-col rounded-xl border px-4 py-3 ${strong ? 'border-accent-text/30 bg-accent-soft' : 'bg-panel'}`}>
      <dt className="text-[13px] font-medium">{label}</dt>
      <dd className="text-2xl font-semibold tabular-nums">{String(value)}</dd>
      <dd className="text-xs text-muted">{plain}</dd>
    </div>
  );
}
