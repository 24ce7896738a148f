import { Check, GitCompareArrows, Pencil, Plus, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { inbox, newKey } from '../api/client';
import { describe } from '../api/error';
import { forgetPersons, personQuery, queries } from '../api/queries';
import type { Person } from '../gen/weftline/identity/v1/types_pb';
import type { Customer } from '../gen/weftline/inbox/v1/types_pb';
import { useLive } from '../live/store';
import type { Conflict } from '../person/members';
import { Button, IconButton } from '../ui/Button';
import { say } from '../ui/toast';

const namePattern = /^[a-z0-9_-]{1,64}$/;

type Props = { customer: Customer; /** Other values that members of the person have. */ conflicts?: ReadonlyMap<string, Conflict>; nameOf?(customerId: string): string };

/** Facts about the customer; each can be changed in its place. Where members differ the newest is shown, and marked. */
export function Attributes({ customer, conflicts, nameOf = (id) => id }: Props) {
  const [editing, setEditing] = useState<string | undefined>();
  const names = Object.keys(customer.attributes).sort();

  const save = async (name: string, value: string): Promise<void> => {
    setEditing(undefined);
    show(customer, name, value);
    try {
      await inbox.setAttribute({ customerId: customer.id, name, value, idempotencyKey: newKey() });
      forgetPersons();
    } catch (error) {
      show(customer, name, customer.attributes[name] ?? '');
      say(`Not saved. ${describe(error)}`, { tone: 'bad' });
    }
  };
  return (
    <>
      <dl className="grid gap-0.5">
        {names.map((name) =>
          editing === name
            ? <div key={name}><Edit name={name} value={customer.attributes[name]!} onSave={save} onCancel={() => setEditing(undefined)} /></div>
            : (
              <div key={name} className="group flex min-h-8 items-baseline gap-2">
                <dt className="w-24 shrink-0 truncate text-[13px] text-muted">{name}</dt>
                <dd className="min-w-0 flex-1 break-words"><bdi>{customer.attributes[name]}</bdi>{conflicts?.get(name)?.others.map((other) => <span key={other.customerId} className="flex items-center gap-1 text-xs text-warn" title={`${nameOf(other.customerId)} has another value; the newest is shown`}><GitCompareArrows size={12} aria-hidden className="shrink-0" /><span><span className="sr-only">Another value: </span><bdi>{other.value}</bdi></span></span>)}</dd>
                <dd><IconButton label={`Change ${name}`} className="size-7! opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 [@media(hover:none)]:opacity-100" onClick={() => setEditing(name)}><Pencil size={13} aria-hidden /></IconButton></dd>
              </div>
            ))}
      </dl>
      {editing === ''
        ? <Edit onSave={save} onCancel={() => setEditing(undefined)} />
        : <Button small look="ghost" className="-ms-2 text-muted!" onClick={() => setEditing('')}><Plus size={13} aria-hidden />Add</Button>}
    </>
  );
}

function show(customer: Customer, name: string, value: string): void {
  const { queryKey } = personQuery(customer.id);
  queries.setQueryData<Person>(queryKey, (person) => person && { ...person, attributes: changed(person.attributes, name, value) });
  useLive.setState((s) => {
    const have = s.cache.customers.get(customer.id) ?? customer;
    const attributes = changed(have.attributes, name, value);
    return { cache: { ...s.cache, customers: new Map(s.cache.customers).set(customer.id, { ...have, attributes }) } };
  });
}

function changed(attributes: Record<string, string>, name: string, value: string): Record<string, string> {
  const { [name]: _old, ...rest } = attributes;
  return value ? { ...rest, [name]: value } : rest;
}

type EditProps = { name?: string; value?: string; onSave(name: string, value: string): Promise<void>; onCancel(): void };

function Edit({ name: fixed, value = '', onSave, onCancel }: EditProps) {
  const [name, setName] = useState(fixed ?? '');
  const [text, setText] = useState(value);
  const wrong = name !== '' && !namePattern.test(name);
  return (
    <form
      className="grid gap-1 py-1"
      onSubmit={(event) => { event.preventDefault(); if (name && !wrong) void onSave(name, text.trim()); }}
      onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); onCancel(); } }}
    >
      {fixed === undefined && <input autoFocus aria-label="Name" aria-invalid={wrong} placeholder="name, for example plan" className="field" maxLength={64} value={name} onChange={(event) => setName(event.target.value.toLowerCase().replaceAll(' ', '_'))} />}
      {wrong && <p role="alert" className="text-xs text-danger">Letters a to z, digits, _ and - only.</p>}
      <div className="flex gap-1">
        <input autoFocus={fixed !== undefined} dir="auto" aria-label={fixed ? `Value of ${fixed}` : 'Value'} placeholder="value" className="field" maxLength={2000} value={text} onChange={(event) => setText(event.target.value)} />
        <IconButton type="submit" label="Save" disabled={!name || wrong}><Check size={15} aria-hidden /></IconButton>
        {fixed !== undefined && <IconButton label={`Remove ${fixed}`} onClick={() => void onSave(fixed, '')}><Trash2 size={15} aria-hidden /></IconButton>}
        <IconButton label="Cancel" onClick={onCancel}><X size={15} aria-hidden /></IconButton>
      </div>
    </form>
  );
}
