import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useMe } from '../api/queries';
import { Role } from '../gen/weftline/console/v1/console_pb';
import { pagesFor } from './pages';

export function SettingsPage() {
  const owner = useMe().role === Role.OWNER;
  const here = useLocation({ select: (at) => at.pathname });
  const tabs = useRef<HTMLUListElement>(null);
  // On a phone the tabs are a strip wider than the screen. A promise in newer browsers: an effect must not give it back.
  useEffect(() => void tabs.current?.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [here]);
  return (
    <div className="grid h-full grid-cols-1 grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[200px_minmax(0,1fr)] md:grid-rows-1">
      <nav aria-label="Settings" data-pane="settings" tabIndex={-1} className="border-b bg-panel p-2 md:border-e md:border-b-0 md:p-3">
        <p className="mb-2 hidden px-2 text-[15px] font-semibold md:block">Settings</p>
        <ul ref={tabs} className="flex gap-1 overflow-x-auto md:flex-col">
          {pagesFor(owner).map(({ to, label, icon: Icon }) => (
            <li key={to}><Link to={to} className="flex min-h-9 items-center gap-2 rounded-lg px-2.5 whitespace-nowrap hover:bg-sunken aria-[current=page]:bg-select aria-[current=page]:font-semibold" activeProps={{ 'aria-current': 'page' }}><Icon size={16} aria-hidden />{label}</Link></li>
          ))}
        </ul>
      </nav>
      <main className="scroll min-h-0" tabIndex={-1} data-pane="main"><div className="mx-auto max-w-3xl p-5 pb-16"><Outlet /></div></main>
    </div>
  );
}

/** The head of a settings page: what it is, and the one thing to do. */
export function PageHead({ title, about, children }: { title: string; about: string; children?: React.ReactNode }) {
  return (
    <div className="mb-5 flex flex-wrap items-start gap-3">
      <div className="min-w-56 flex-1"><h1 className="text-lg font-semibold">{title}</h1><p className="max-w-prose text-muted">{about}</p></div>
      {children}
    </div>
  );
}
