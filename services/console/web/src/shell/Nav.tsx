import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleHelp, ExternalLink, Inbox, LogOut, Moon, Plus, Search, Settings, Store, Sun, Users } from 'lucide-react';
import type { ReactNode } from 'react';
import { sessionQuery, useMe } from '../api/queries';
import { useLive } from '../live/store';
import { spoken } from '../keyboard/keymap';
import { Avatar } from '../ui/Avatar';
import { Menu, MenuItem, MenuTitle } from '../ui/Menu';
import { prefer, usePreferences } from './preferences';

const spot = 'relative flex min-h-11 w-full flex-col items-center justify-center gap-0.5 rounded-xl px-1 py-1.5 text-[11px] font-medium text-rail-ink hover:bg-rail-on aria-[current=page]:bg-rail-on aria-[current=page]:text-white focus-visible:outline-white';

/** The way between screens: a rail at the side, a bar at the bottom on a phone. */
export function Nav({ onPalette, onNew, onKeys }: { onPalette(): void; onNew(): void; onKeys(): void }) {
  const counts = useLive((s) => s.counts);
  const me = useMe();
  const mine = Number(counts?.openByAssignee[me.id] ?? 0n);
  const waiting = mine + Number(counts?.openUnassigned ?? 0n);
  const demo = useQuery(sessionQuery).data?.demoUrl;
  return (
    <nav aria-label="Main" className="flex h-full items-center gap-1 bg-rail px-1.5 py-1 md:flex-col md:py-3">
      <img src="/assets/mark.svg" alt="Weftline" width={34} height={34} className="mb-2 hidden rounded-[9px] ring-1 ring-white/20 md:block" />
      <Spot to="/inbox" label="Inbox" icon={<Inbox size={19} aria-hidden />} badge={waiting} badgeLabel="open for you or unassigned" />
      <Spot to="/customers" label="People" icon={<Users size={19} aria-hidden />} />
      <button className={spot} onClick={onPalette} title={`Commands and search (${spoken('Mod+K')})`}><Search size={19} aria-hidden />Find</button>
      <button className={spot} onClick={onNew} title="New conversation (c)"><Plus size={19} aria-hidden />New</button>
      <div className="hidden flex-1 md:block" />
      {demo && (
        <a href={demo} target="_blank" rel="noreferrer" className={`${spot} hidden! md:flex! text-center leading-tight ring-1 ring-white/25`} title="Opens a page with the chat widget, where you are the customer">
          <Store size={18} aria-hidden />Play the customer<ExternalLink size={10} aria-hidden className="absolute end-1 top-1" /><span className="sr-only">(opens in a new tab)</span>
        </a>
      )}
      <Spot to="/settings" label="Settings" icon={<Settings size={19} aria-hidden />} />
      <Me demo={demo ?? ''} onKeys={onKeys} />
    </nav>
  );
}

function Spot({ to, label, icon, badge = 0, badgeLabel }: { to: '/inbox' | '/customers' | '/settings'; label: string; icon: ReactNode; badge?: number; badgeLabel?: string }) {
  return (
    <Link to={to} className={spot} activeProps={{ 'aria-current': 'page' }}>
      {icon}{label}
      {badge > 0 && (
        <span className="absolute end-1 top-0.5 min-w-4 rounded-full bg-[#f2b84b] px-1 text-center text-[10px] leading-4 font-bold text-[#2b1d00]">
          {badge > 99 ? '99+' : badge}<span className="sr-only"> {badgeLabel}</span>
        </span>
      )}
    </Link>
  );
}

function Me({ demo, onKeys }: { demo: string; onKeys(): void }) {
  const me = useMe();
  const theme = usePreferences((s) => s.theme);
  const workspace = useQuery(sessionQuery).data?.workspace;
  return (
    <Menu
      label="You"
      trigger={<button className={spot}><Avatar name={me.name} size={28} /><span className="sr-only">You: {me.name}</span></button>}
    >
      <MenuTitle><bdi>{me.name}</bdi>{workspace && <> · <bdi>{workspace}</bdi></>}</MenuTitle>
      <MenuItem chosen={theme === 'light'} icon={<Sun size={15} />} onSelect={() => prefer({ theme: 'light' })}>Light</MenuItem>
      <MenuItem chosen={theme === 'dark'} icon={<Moon size={15} />} onSelect={() => prefer({ theme: 'dark' })}>Dark</MenuItem>
      <MenuItem chosen={theme === 'system'} onSelect={() => prefer({ theme: 'system' })}>As the system</MenuItem>
      <MenuItem icon={<CircleHelp size={15} />} hint="?" onSelect={onKeys}>Keyboard shortcuts</MenuItem>
      {demo && <MenuItem icon={<Store size={15} />} onSelect={() => window.open(demo, '_blank', 'noreferrer')}>Play the customer</MenuItem>}
      <MenuItem icon={<LogOut size={15} />} onSelect={logout}>Log out</MenuItem>
    </Menu>
  );
}

function logout(): void {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/logout';
  document.body.append(form);
  form.submit();
}
