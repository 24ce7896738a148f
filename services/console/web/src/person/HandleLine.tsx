import type { HandleEvidence } from '../gen/weftline/identity/v1/types_pb';
import { ChannelIcon } from '../ui/Channel';
import { Level } from '../ui/Level';
import { qualifiers, refuted } from './words';

/** An address with how sure we are of it, in two lines. */
export function HandleLine({ of }: { of: HandleEvidence }) {
  const handle = of.handle;
  const { label, plain } = qualifiers[of.qualifier] ?? qualifiers[0];
  if (!handle) return null;
  return (
    <span className="flex min-w-0 flex-1 items-start gap-2 leading-tight">
      <span className="mt-0.5"><ChannelIcon channel={handle.kind} size={15} /></span>
      <span className="min-w-0">
        <span className="block break-words" title={handle.address}>{handle.kind === 'chat' ? 'Chat visitor' : handle.address ? <bdi dir="ltr">{handle.address}</bdi> : <i>Erased</i>}</span>
        <span className="flex flex-wrap items-center gap-x-1.5 text-xs text-muted">
          <Level of={handle.assurance} />
          {handle.refuted && <span title={refuted} className="rounded bg-warn-soft px-1 font-medium text-warn">Refuted</span>}
          {label && <span title={plain} className="rounded bg-warn-soft px-1 font-medium text-warn">{label}</span>}
        </span>
      </span>
    </span>
  );
}
