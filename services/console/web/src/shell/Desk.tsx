import { useNavigate, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { Queue } from '../queue/Queue';
import { useActions } from '../keyboard/actions';
import { useFilter } from '../queue/useFilter';
import { cx } from '../ui/cx';
import { KeysCard } from '../keyboard/KeysCard';
import { Skeleton } from '../ui/State';

// Fetched at once and beside the queue, but not before the page can draw.
const pane = import('../conversation/ConversationPane');
const ConversationPane = lazy(() => pane.then((m) => ({ default: m.ConversationPane })));

/** The three panes. Below 860 px one at a time, with a way back. */
export function Desk() {
  const { conversationId = '' } = useParams({ strict: false }) as { conversationId?: string };
  const { search } = useFilter();
  const navigate = useNavigate();
  const [drawer, setDrawer] = useState(false);

  useActions({
    back: () => {
      if (drawer) setDrawer(false);
      else if (document.activeElement instanceof HTMLElement && document.activeElement.isContentEditable) document.querySelector<HTMLElement>('[data-pane="timeline"] [data-pane-focus]')?.focus();
      else if (conversationId) void navigate({ to: '/inbox', search });
      else return false;
      return true;
    },
  });

  return (
    <div className="grid h-full min-w-0 grid-cols-1 min-[860px]:grid-cols-[clamp(280px,26vw,360px)_minmax(0,1fr)]">
      <div className={cx('min-h-0 border-e bg-panel', conversationId && 'hidden min-[860px]:block')}>
        <Queue conversationId={conversationId} />
      </div>
      <div className={cx('min-h-0 min-w-0', !conversationId && 'hidden min-[860px]:block')}>
        {conversationId
          ? <Suspense fallback={<Skeleton rows={5} height={96} />}><ConversationPane key={conversationId} conversationId={conversationId} drawer={drawer} onDrawer={setDrawer} /></Suspense>
          : <KeysCard />}
      </div>
    </div>
  );
}
