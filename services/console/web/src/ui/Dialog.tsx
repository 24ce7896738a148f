import { Dialog as Base } from 'radix-ui';
import { X } from 'lucide-react';
import { useRef, type ReactNode } from 'react';
import { cx } from './cx';

type Props = {
  open: boolean;
  onClose(): void;
  title: string;
  /** Read out after the title. */
  about?: string;
  wide?: boolean;
  /** Room for three columns. */
  broad?: boolean;
  /** Something is written in it: a click beside it, on the way back from where it was copied, does not lose that. */
  firm?: boolean;
  children: ReactNode;
};

/** A dialog over the page. Esc closes it and gives the focus back. */
export function Dialog({ open, onClose, title, about, wide, broad, firm, children }: Props) {
  // Ours have no trigger of Radix's, which would be the only place it gives the focus back to.
  const from = useRef<{ open: boolean; before: Element | null }>({ open: false, before: null });
  if (open !== from.current.open) from.current = { open, before: open ? document.activeElement : from.current.before };
  const giveBack = (event: Event): void => {
    const { before } = from.current;
    if (!(before instanceof HTMLElement) || !before.isConnected || before === document.body) return;
    event.preventDefault();
    before.focus();
  };
  return (
    <Base.Root open={open} onOpenChange={(value) => !value && onClose()}>
      <Base.Portal>
        <Base.Overlay className="fixed inset-0 z-40 bg-black/45 motion-safe:animate-[appear_.12s_ease-out_forwards]" />
        <Base.Content
          onCloseAutoFocus={giveBack}
          onPointerDownOutside={(event) => firm && event.preventDefault()}
          {...(about ? {} : { 'aria-describedby': undefined })}
          className={cx(
            'scroll fixed inset-x-3 top-[8vh] z-50 mx-auto max-h-[84vh] rounded-2xl border bg-raised p-5 shadow-pop motion-safe:animate-[rise_.16s_ease-out]',
            broad ? 'max-w-5xl' : wide ? 'max-w-2xl' : 'max-w-lg',
          )}
        >
          <div className="mb-3 flex items-start gap-3">
            <div className="flex-1">
              <Base.Title className="text-base font-semibold">{title}</Base.Title>
              {about && <Base.Description className="mt-0.5 text-muted">{about}</Base.Description>}
            </div>
            <Base.Close aria-label="Close" className="grid size-8 place-items-center rounded-lg hover:bg-ink/7"><X size={16} aria-hidden /></Base.Close>
          </div>
          {children}
        </Base.Content>
      </Base.Portal>
    </Base.Root>
  );
}
