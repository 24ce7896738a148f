import { DropdownMenu as Base } from 'radix-ui';
import { Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { usePreferences } from '../shell/preferences';

type Props = { trigger: ReactNode; label: string; children: ReactNode; open?: boolean; onOpen?(open: boolean): void };

/** A menu below a button. Arrow keys move, letters jump, Esc gives the focus back. */
export function Menu({ trigger, label, children, open, onOpen }: Props) {
  const direction = usePreferences((s) => s.direction);
  return (
    <Base.Root open={open} onOpenChange={onOpen} modal={false} dir={direction}>
      <Base.Trigger asChild>{trigger}</Base.Trigger>
      {/* No portal: what a menu says belongs to the landmark it opens in. */}
      <Base.Content
          aria-label={label}
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className="scroll z-50 max-h-[60vh] min-w-52 rounded-xl border bg-raised p-1 text-start font-normal text-ink shadow-pop motion-safe:animate-[rise_.1s_ease-out]"
        >
          {children}
        </Base.Content>
    </Base.Root>
  );
}

type ItemProps = { onSelect(): void; chosen?: boolean; icon?: ReactNode; hint?: string; children: ReactNode };

export function MenuItem({ onSelect, chosen, icon, hint, children }: ItemProps) {
  return (
    <Base.Item
      onSelect={onSelect}
      className="flex min-h-8 cursor-pointer items-center gap-2 rounded-lg px-2 outline-none data-[highlighted]:bg-select"
    >
      <span className="grid w-5 place-items-center text-muted" aria-hidden>{chosen ? <Check size={15} /> : icon}</span>
      <span className="flex-1">{children}{chosen && <span className="sr-only"> (chosen)</span>}</span>
      {hint && <span className="text-xs text-muted">{hint}</span>}
    </Base.Item>
  );
}

export function MenuTitle({ children }: { children: ReactNode }) {
  return <Base.Label className="px-2 pt-1.5 pb-1 text-xs font-semibold text-muted">{children}</Base.Label>;
}
