import { useId, type InputHTMLAttributes, type ReactNode } from 'react';

type Shell = { label: string; help?: ReactNode; error?: string | undefined; required?: boolean | undefined };

function Frame({ label, help, error, required, id, children }: Shell & { id: string; children: ReactNode }) {
  return (
    <div className="mb-3">
      <label htmlFor={id} data-required={required || undefined} className="mb-1 block text-[13px] font-medium">{label}</label>
      {children}
      {help && <p id={id + '-help'} className="mt-1 text-xs text-muted">{help}</p>}
      {error && <p id={id + '-error'} role="alert" className="mt-1 text-xs font-medium text-danger">{error}</p>}
    </div>
  );
}

const described = (id: string, { help, error }: Shell): { 'aria-describedby'?: string; 'aria-invalid'?: true } => {
  const by = [help && id + '-help', error && id + '-error'].filter(Boolean).join(' ');
  return { ...(by ? { 'aria-describedby': by } : {}), ...(error ? { 'aria-invalid': true as const } : {}) };
};

type InputProps = Shell & { value: string; onValue(value: string): void } & Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'>;

export function Input({ label, help, error, value, onValue, ...rest }: InputProps) {
  const id = useId();
  return (
    <Frame {...{ label, help, error, id, required: rest.required }}>
      <input id={id} className="field" value={value} onChange={(e) => onValue(e.target.value)} {...described(id, { label, help, error })} {...rest} />
    </Frame>
  );
}

type AreaProps = Shell & { value: string; onValue(value: string): void; rows?: number; placeholder?: string; required?: boolean };

export function Area({ label, help, error, value, onValue, rows = 4, ...rest }: AreaProps) {
  const id = useId();
  return (
    <Frame {...{ label, help, error, id, required: rest.required }}>
      <textarea id={id} dir="auto" rows={rows} className="field" value={value} onChange={(e) => onValue(e.target.value)} {...described(id, { label, help, error })} {...rest} />
    </Frame>
  );
}

type SelectProps = Shell & { value: string; onValue(value: string): void; options: readonly (readonly [value: string, label: string])[] };

export function Select({ label, help, error, value, onValue, options, required }: SelectProps) {
  const id = useId();
  return (
    <Frame {...{ label, help, error, id, required }}>
      <select id={id} required={required} className="field" value={value} onChange={(e) => onValue(e.target.value)} {...described(id, { label, help, error })}>
        {options.map(([key, text]) => <option key={key} value={key}>{text}</option>)}
      </select>
    </Frame>
  );
}
