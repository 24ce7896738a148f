import { useQuery } from '@tanstack/react-query';
import { Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { sessionQuery } from '../api/queries';
import { useActions } from '../keyboard/actions';
import { Listener } from '../keyboard/Listener';
import { connection, onFirstSnapshot, setBuild, wakeWithPage } from '../live/live';
import { loadCounts } from '../live/load';
import { useLive } from '../live/store';
import { openOutbox, useOutbox } from '../outbox/outbox';
import { flush } from '../outbox/sender';
import { Failed } from '../ui/State';
import { Toasts } from '../ui/Toasts';
import { Banner } from './Banner';
import { Nav } from './Nav';
import { cyclePane } from './panes';

const Refuted = lazy(() => import('../composer/Refuted').then((m) => ({ default: m.Refuted })));
const Refusal = lazy(() => import('../composer/Refusal').then((m) => ({ default: m.Refusal })));
const Palette = lazy(() => import('../palette/Palette').then((m) => ({ default: m.Palette })));
const KeySheet = lazy(() => import('../keyboard/KeySheet').then((m) => ({ default: m.KeySheet })));
const NewConversation = lazy(() => import('../conversation/NewConversation').then((m) => ({ default: m.NewConversation })));

/** The page around every screen: who am I, the live connection, navigation, commands. */
export function Shell() {
  const session = useQuery(sessionQuery);
  if (session.isError) return <main className="mx-auto max-w-lg pt-24"><h1 className="sr-only">Weftline</h1><Failed what="The console could not start." error={session.error} onRetry={() => void session.refetch()} /></main>;
  if (!session.data?.agent) return <main aria-busy="true" className="grid h-full place-items-center"><h1 className="sr-only">Weftline</h1><p className="text-muted">Opening…</p></main>;
  return <Opened agentId={session.data.agent.id} build={session.data.build} />;
}

function Opened({ agentId, build }: { agentId: string; build: string }) {
  const [over, setOver] = useState<'palette' | 'keys' | 'new' | undefined>();
  const { conversationId } = useParams({ strict: false }) as { conversationId?: string };
  const phase = useLive((s) => s.standing.phase);
  const refused = useOutbox((s) => s.items.some((item) => item.state === 'refused'));
  const refuted = useOutbox((s) => s.items.some((item) => item.state === 'refuted'));
  const navigate = useNavigate();

  useEffect(() => {
    setBuild(build);
    openOutbox(agentId);
    flush();
    if (!/^\/(inbox|c)?(\/|$)/.test(location.pathname)) {
      // No queue is on screen whose cursor could be waited for.
      onFirstSnapshot();
      void loadCounts().catch(() => {});
    }
    connection.start();
    const asleep = wakeWithPage();
    return () => {
      asleep();
      connection.stop();
    };
  }, [agentId, build]);

  useEffect(() => {
    if (phase === 'live') flush();
  }, [phase]);

  useActions({
    palette: () => setOver('palette'),
    help: () => setOver('keys'),
    new: () => setOver('new'),
    'go-inbox': () => void navigate({ to: '/inbox', search: { scope: 'mine' } }),
    'go-unassigned': () => void navigate({ to: '/inbox', search: { scope: 'unassigned' } }),
    'go-all': () => void navigate({ to: '/inbox', search: {} }),
    'go-search': () => void navigate({ to: '/search', search: {} }),
    'go-settings': () => void navigate({ to: '/settings/inboxes' }),
    'next-pane': () => cyclePane(1),
    'previous-pane': () => cyclePane(-1),
  });

  return (
    <div className="grid h-dvh grid-rows-[auto_minmax(0,1fr)_auto] md:grid-cols-[68px_minmax(0,1fr)] md:grid-rows-[auto_minmax(0,1fr)]">
      <Listener />
      <div className="md:col-span-2"><Banner /></div>
      <div className={conversationId ? 'order-3 hidden md:order-none md:block' : 'order-3 md:order-none'}><Nav onPalette={() => setOver('palette')} onNew={() => setOver('new')} onKeys={() => setOver('keys')} /></div>
      <div className="min-h-0 min-w-0"><Outlet /></div>
      <Suspense fallback={null}>
        {over === 'palette' && <Palette onClose={() => setOver(undefined)} onOver={setOver} />}
        {over === 'keys' && <KeySheet onClose={() => setOver(undefined)} />}
        {refused && <Refusal />}
        {refuted && !refused && <Refuted />}
        {over === 'new' && <NewConversation onClose={() => setOver(undefined)} />}
      </Suspense>
      <Toasts />
    </div>
  );
}
