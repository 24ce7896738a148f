import { CheckCircle2, PlugZap, Trash2, XCircle } from 'lucide-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { desk } from '../api/client';
import { byField, byWords, describe } from '../api/error';
import { inboxesQuery, queries } from '../api/queries';
import type { Inbox } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { channelName } from '../ui/Channel';
import { Dialog } from '../ui/Dialog';
import { Area, Input, Select } from '../ui/Field';
import { say } from '../ui/toast';
import { formOf, idOf, type SettingField } from './fields';

type Outcome = { ok: boolean; detail: string };

/** Adds or changes an inbox. Secrets are never shown; left empty they stay as they are. */
export function InboxForm({ inbox, onClose }: { inbox: Inbox; onClose(): void }) {
  const fresh = inbox.id === '';
  const [name, setName] = useState(inbox.name);
  const [settings, setSettings] = useState<Record<string, string>>({ ...inbox.settings });
  const [busy, setBusy] = useState<'test' | 'save' | 'delete' | undefined>();
  const [outcome, setOutcome] = useState<Outcome | undefined>();
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [sure, setSure] = useState(false);
  const taken = new Set((useQuery(inboxesQuery).data ?? []).map((one) => one.id));
  const [chosen, setChosen] = useState('');
  const id = fresh ? chosen || idOf(name, inbox.channel, taken) : inbox.id;
  const current = { ...inbox, id, name, settings: Object.fromEntries(Object.entries(settings).filter(([key, value]) => value !== '' || inbox.settings[key])) };

  const run = async (what: 'test' | 'save' | 'delete', order: () => Promise<void>): Promise<void> => {
    setBusy(what);
    setErrors({});
    setOutcome(undefined);
    try {
      await order();
    } catch (error) {
      setErrors(byField(error));
      setOutcome({ ok: false, detail: describe(error) });
    } finally {
      setBusy(undefined);
    }
  };
  const test = () => run('test', async () => {
    const { ok, detail } = await desk.testInbox({ inbox: current });
    setOutcome({ ok, detail });
    if (!ok) setErrors(byWords(detail));
  });
  const save = () => run('save', async () => {
    await desk.saveInbox({ inbox: current });
    await queries.invalidateQueries(inboxesQuery);
    say(fresh ? 'Inbox added.' : 'Inbox changed.');
    onClose();
  });
  const drop = () => run('delete', async () => {
    await desk.saveInbox({ inbox: current, delete: true });
    await queries.invalidateQueries(inboxesQuery);
    say('Inbox removed. What was said in it stays.');
    onClose();
  });

  const groups = formOf(inbox.channel, inbox.settings);
  const field = (one: SettingField) => {
    const shared = { label: one.label, help: one.help, error: errors[one.key] ?? errors[`settings.${one.key}`], value: settings[one.key] ?? (one.values ? one.fallback ?? '' : '') };
    const onValue = (value: string): void => setSettings((s) => ({ ...s, [one.key]: value }));
    if (one.values) return <Select key={one.key} {...shared} onValue={onValue} options={one.values} />;
    const placeholder = one.secret && !fresh ? 'Unchanged' : one.fallback;
    if (one.many) return <Area key={one.key} {...shared} onValue={onValue} {...(placeholder ? { placeholder } : {})} />;
    return <Input key={one.key} {...shared} onValue={onValue} required={one.required} placeholder={placeholder} type={one.secret ? 'password' : 'text'} autoComplete={one.secret ? 'new-password' : 'off'} dir={one.key === 'greeting' || one.key === 'from_name' ? 'auto' : 'ltr'} />;
  };
  return (
    <Dialog open onClose={onClose} wide title={fresh ? `Add ${channelName(inbox.channel).toLowerCase()}` : `Change ${inbox.name}`}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <Input label="Name" help="Shown to agents, and to customers where the channel has a sender’s name." value={name} onValue={setName} required error={errors.name} autoFocus />
        {fresh && (
          <details className="mb-2">
            <summary className="min-h-7 cursor-pointer text-[13px] text-muted">Id: <bdi dir="ltr">{id}</bdi></summary>
            <Input label="Id" help="Stands in addresses and cannot be changed later. Letters, digits, _ and -." dir="ltr" value={chosen} onValue={setChosen} placeholder={id} maxLength={64} pattern="[A-Za-z0-9_\-]+" error={taken.has(id) ? 'There is an inbox with this id.' : errors.id} />
          </details>
        )}
        {groups.map((group) => (
          <fieldset key={group.title} className="mb-2 border-t pt-3">
            <legend className="float-start mb-2 w-full font-semibold">{group.title}</legend>
            <div className="clear-both grid gap-x-4 sm:grid-cols-2">{group.fields.filter((one) => !one.rare).map(field)}</div>
            {group.fields.some((one) => one.rare) && (
              <details className="mb-2"><summary className="min-h-7 cursor-pointer text-[13px] text-muted">More settings</summary><div className="mt-2 grid gap-x-4 sm:grid-cols-2">{group.fields.filter((one) => one.rare).map(field)}</div></details>
            )}
          </fieldset>
        ))}
        <div className="sticky -bottom-5 -mx-5 -mb-5 border-t bg-raised px-5 py-3">
          <div role="status">
            {outcome && (
              <p className={`mb-3 flex items-start gap-2 rounded-lg px-3 py-2 ${outcome.ok ? 'bg-accent-soft text-accent-text' : 'bg-danger-soft text-danger'}`}>
                {outcome.ok ? <CheckCircle2 size={16} aria-hidden className="mt-0.5 shrink-0" /> : <XCircle size={16} aria-hidden className="mt-0.5 shrink-0" />}
                <span className="said">{outcome.detail || (outcome.ok ? 'It works.' : 'It does not work.')}</span>
              </p>
            )}
          </div>
          <div className="flex flex-wrap items-center gap-2">
            {!fresh && (sure
              ? <Button look="danger" disabled={busy !== undefined} onClick={() => void drop()}><Trash2 size={14} aria-hidden />Yes, remove it</Button>
              : <Button look="ghost" className="text-danger!" onClick={() => setSure(true)}><Trash2 size={14} aria-hidden />Remove…</Button>)}
            <span className="ms-auto" />
            <Button disabled={busy !== undefined} onClick={() => void test()}><PlugZap size={14} aria-hidden />{busy === 'test' ? 'Testing…' : 'Test'}</Button>
            <Button look="primary" type="submit" disabled={busy !== undefined || name.trim() === '' || (fresh && taken.has(id))}>{busy === 'save' ? 'Saving…' : 'Save'}</Button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}
