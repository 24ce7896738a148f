import { lazy, Suspense, useState } from 'react';
import { useAgentName } from '../api/queries';
import type { Link, Person } from '../gen/weftline/identity/v1/types_pb';
import { Button } from '../ui/Button';
import { When } from '../ui/When';
import { memberName } from './members';
import { madeBy, undoneBy } from './words';

const UnmergeDialog = lazy(() => import('./UnmergeDialog').then((m) => ({ default: m.UnmergeDialog })));

/** What makes one person of several customers. Each link can be taken back, for ever. */
export function Merges({ person }: { person: Person }) {
  const name = useAgentName();
  const [parting, setParting] = useState<Link | undefined>();
  const who = (id: string): string => {
    const member = person.members.find(({ customer }) => customer?.id === id);
    return member ? memberName({ id, name: member.customer?.name ?? '', erased: member.erased }) : 'somebody else';
  };
  return (
    <>
      <ul className="grid gap-2">
        {person.links.map((link) => (
          <li key={link.id} className="rounded-lg bg-sunken px-2 py-1.5">
            <p className="text-[13px] font-medium"><bdi>{who(link.a)}</bdi> and <bdi>{who(link.b)}</bdi></p>
            <p className="text-xs text-muted">{madeBy(link, name)} · <When at={link.at} /></p>
            {link.reasons.map((reason, i) => <p key={i} className="text-xs text-muted"><bdi>{reason.text}</bdi></p>)}
            <Button small className="mt-1" onClick={() => setParting(link)}>Take apart…</Button>
          </li>
        ))}
      </ul>
      {person.formerLinks.length > 0 && (
        <details className="mt-1">
          <summary className="min-h-7 cursor-pointer text-[13px] text-muted">Taken apart before ({person.formerLinks.length})</summary>
          <ul className="grid gap-1 text-xs text-muted">{person.formerLinks.map((link) => <li key={link.id}>{madeBy(link, name)}, <When at={link.at} />. {undoneBy(link, name)}, <When at={link.undoneAt} />.</li>)}</ul>
        </details>
      )}
      {parting && <Suspense fallback={null}><UnmergeDialog link={parting} onClose={() => setParting(undefined)} /></Suspense>}
    </>
  );
}
