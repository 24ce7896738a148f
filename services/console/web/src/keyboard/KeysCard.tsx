import { useQuery } from '@tanstack/react-query';
import { ExternalLink, MessagesSquare, Store } from 'lucide-react';
import { sessionQuery } from '../api/queries';
import { Kbd } from '../ui/Kbd';
import { spoken } from './keymap';

const shown = [['j', 'next conversation'], ['k', 'previous'], ['r', 'reply'], ['n', 'note'], ['e', 'close'], ['Mod+K', 'everything else']] as const;

/** What the middle shows while no conversation is open. */
export function KeysCard() {
  const demo = useQuery(sessionQuery).data?.demoUrl;
  return (
    <main className="grid h-full place-items-center p-6">
      <div className="max-w-md text-center">
        <div className="mx-auto mb-4 grid size-14 place-items-center rounded-2xl bg-accent-soft text-accent-text"><MessagesSquare size={26} aria-hidden /></div>
        <h1 className="text-lg font-semibold">Choose a conversation</h1>
        <p className="mt-1 text-muted">Every channel of a customer is in one timeline, so nobody has to repeat themselves.</p>
        <dl className="mx-auto mt-5 grid w-fit grid-cols-[auto_auto] gap-x-4 gap-y-2 text-start">
          {shown.map(([keys, does]) => (
            <div key={keys} className="contents"><dt className="text-end"><Kbd>{spoken(keys)}</Kbd></dt><dd className="text-muted">{does}</dd></div>
          ))}
        </dl>
        {demo && (
          <a href={demo} target="_blank" rel="noreferrer" className="mt-6 inline-flex min-h-9 items-center gap-2 rounded-lg border border-line-strong/60 bg-raised px-3 font-medium hover:bg-sunken">
            <Store size={16} aria-hidden />Play the customer<ExternalLink size={13} aria-hidden /><span className="sr-only">(opens in a new tab)</span>
          </a>
        )}
      </div>
    </main>
  );
}
