import type { Setting } from '../gen/weftline/console/v1/console_pb';
import { Area, Input, Select } from '../ui/Field';
import { groupsOf, type Values } from './fields';

type Props = {
  settings: readonly Setting[];
  values: Values;
  errors: Readonly<Record<string, string>>;
  /** Secrets that are there: left empty they stay, unless they are forgotten. */
  stored: readonly string[];
  forgotten: ReadonlySet<string>;
  onValue(key: string, value: string): void;
  onForget(key: string, gone: boolean): void;
};

/** The settings of a channel: the basic ones under their headings, the others folded. */
export function SettingFields({ settings, values, errors, stored, forgotten, onValue, onForget }: Props) {
  const field = (one: Setting) => <div key={one.key}>{entry(one)}{droppable(one) && (
    <label className="-mt-1.5 mb-3 flex min-h-6 items-center gap-1.5 text-xs"><input type="checkbox" aria-label={`Remove the stored one: ${one.label}`} checked={forgotten.has(one.key)} onChange={(event) => onForget(one.key, event.target.checked)} />Remove the stored one</label>
  )}</div>;
  const droppable = (one: Setting): boolean => one.secret && !one.required && stored.includes(one.key) && !values[one.key];
  const entry = (one: Setting) => {
    const kept = one.secret && stored.includes(one.key);
    const shared = { label: one.label, help: one.help, error: errors[one.key], value: values[one.key] ?? '', onValue: (value: string) => onValue(one.key, value) };
    const required = one.required && !kept;
    if (one.values.length > 0) {
      const options = one.values.map(({ value, words }) => [value, words] as const);
      const chosen = one.default !== '' || options.some(([value]) => value === '');
      return <Select {...shared} required={required} value={shared.value || one.default} options={chosen ? options : [['', 'Choose…'], ...options]} />;
    }
    const placeholder = !kept ? one.default : forgotten.has(one.key) ? 'Will be removed' : 'Stored, unchanged';
    // Several lines cannot be masked by a browser: they are blurred until somebody writes in them.
    if (one.lines) return <div className={one.secret ? '[&_textarea:not(:focus)]:blur-[3px]' : ''}><Area {...shared} rows={2} required={required} placeholder={placeholder} /></div>;
    return <Input {...shared} required={required} placeholder={placeholder} type={one.secret ? 'password' : 'text'} autoComplete={one.secret ? 'new-password' : 'off'} dir="auto" />;
  };
  return groupsOf(settings, values).map(({ title, basic, advanced }) => {
    const wrong = advanced.some((one) => errors[one.key]);
    const folded = advanced.length > 0 && (
      <details className="mb-2" open={wrong || undefined}>
        <summary className="min-h-7 cursor-pointer text-[13px] text-muted">{basic.length > 0 ? 'More settings' : title || 'More settings'}{title && <span className="sr-only"> ({title})</span>}</summary>
        <div className="mt-2 grid gap-x-4 sm:grid-cols-2">{advanced.map(field)}</div>
      </details>
    );
    if (basic.length === 0) return <div key={title} className="mb-2 border-t pt-2">{folded}</div>;
    return (
      <fieldset key={title} className="mb-2 border-t pt-3">
        {title && <legend className="float-start mb-2 w-full font-semibold">{title}</legend>}
        <div className="clear-both grid gap-x-4 sm:grid-cols-2">{basic.map(field)}</div>
        {folded}
      </fieldset>
    );
  });
}
