import { useId, useState } from 'react';
import type { Message } from '../gen/weftline/inbox/v1/types_pb';
import { cx } from '../ui/cx';
import { flagWords } from './delivery';
import { inWords } from './evidence';

const tones = { quiet: 'bg-ink/8 text-ink', warn: 'bg-warn-soft text-warn', bad: 'bg-danger-soft text-danger' } as const;

/** Flags whose reason is what the sender was checked by. */
const checked = ['unverified', 'name_is_address', 'sender_differs', 'mixed_script'];

/** Whom a forwarded mail names as its first sender: nothing rests on it. */
export function firstFrom(claim: Message['forwarded']): string {
  if (!claim) return '';
  return `Said to be from: ${claim.name && claim.address ? `${claim.name} <${claim.address}>` : claim.name || claim.address}. Not checked.`;
}

/** What is special about a message, one word each; pressed, each says what it means. */
export function Flags({ of }: { of: Pick<Message, 'flags' | 'evidence' | 'forwarded'> }) {
  const [open, setOpen] = useState('');
  const id = useId();
  const known = of.flags.filter((flag) => flagWords[flag]);
  if (known.length === 0) return null;
  const told = known.includes(open) ? flagWords[open] : undefined;
  const why = !told ? '' : checked.includes(open) ? inWords(of.evidence) : open === 'forwarded' ? firstFrom(of.forwarded) : '';
  return (
    <>
      {known.map((flag) => {
        const { label, plain, tone } = flagWords[flag]!;
        return (
          <button key={flag} type="button" title={plain} aria-expanded={open === flag} aria-controls={id} onClick={() => setOpen(open === flag ? '' : flag)} className={cx('min-h-6 rounded px-1.5 font-medium underline decoration-dotted underline-offset-2', tones[tone])}>
            {label}
          </button>
        );
      })}
      <span id={id} role="status" className={cx('basis-full', told ? cx('rounded-lg px-2 py-1', tones[told.tone]) : 'hidden')}>
        {told && <>{told.plain}{why && <> <bdi>{why}</bdi></>}</>}
      </span>
    </>
  );
}
