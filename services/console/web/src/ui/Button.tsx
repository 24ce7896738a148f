import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { cx } from './cx';

type Look = 'primary' | 'plain' | 'ghost' | 'danger' | 'note';

const looks: Record<Look, string> = {
  primary: 'bg-accent text-accent-ink hover:brightness-110 shadow-sm',
  plain: 'bg-raised text-ink border border-line-strong/60 hover:border-line-strong hover:bg-sunken',
  ghost: 'text-ink hover:bg-ink/7',
  danger: 'text-danger border border-danger/50 hover:bg-danger-soft',
  note: 'bg-note-button text-white hover:brightness-110',
};

type Props = ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look; small?: boolean; ref?: Ref<HTMLButtonElement> };

export function Button({ look = 'plain', small, className, type = 'button', ...rest }: Props) {
  return (
    <button
      type={type}
      className={cx(
        'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors disabled:opacity-55',
        small ? 'min-h-7 px-2 text-[13px]' : 'min-h-8 px-3',
        looks[look],
        className,
      )}
      {...rest}
    />
  );
}

type IconProps = Omit<Props, 'small'> & { label: string; keys?: string; children: ReactNode };

/** A button that shows only an icon; label is what is read out and shown on hover. */
export function IconButton({ label, keys, look = 'ghost', className, children, ...rest }: IconProps) {
  return (
    <Button look={look} aria-label={label} title={keys ? `${label} (${keys})` : label} className={cx('size-8 px-0!', className)} {...rest}>
      {children}
    </Button>
  );
}
