import { useEffect, useRef, useState } from 'react';
import { Draft, type DraftKind, type SaveState } from '../draft/desk';

/** One draft for as long as its composer is open: saved on blur, when the page is hidden and when it goes away. */
export function useDraft(conversationId: string, kind: DraftKind, show: (text: string) => void): { draft: Draft; state: SaveState | undefined } {
  const latest = useRef(show);
  latest.current = show;
  const [state, setState] = useState<SaveState | undefined>();
  const [draft, setDraft] = useState(() => new Draft(conversationId, kind, (text) => latest.current(text), setState));
  if (draft.conversationId !== conversationId || draft.kind !== kind) {
    const next = new Draft(conversationId, kind, (text) => latest.current(text), setState);
    setDraft(next);
    setState(undefined);
  }
  useEffect(() => {
    draft.reopen();
    void draft.open();
    const hidden = (): void => {
      if (document.visibilityState === 'hidden') draft.flushOnExit();
    };
    const leave = (): void => draft.flushOnExit();
    document.addEventListener('visibilitychange', hidden);
    addEventListener('pagehide', leave);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      removeEventListener('pagehide', leave);
      draft.close();
    };
  }, [draft]);
  return { draft, state };
}
