import { create } from '@bufbuild/protobuf';
import { useQuery } from '@tanstack/react-query';
import { SendHorizontal } from 'lucide-react';
import { useState } from 'react';
import { templatesQuery } from '../api/queries';
import { TemplateSchema, type Template } from '../gen/weftline/inbox/v1/types_pb';
import { Button } from '../ui/Button';
import { Input, Select } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { asRead, inOrder, keyOf, valuesOf, wrongIn } from './template';

type Props = { inboxId: string; disabled: boolean; onSend(template: Template, text: string): void };

/** What goes out when the time to reply freely is over: a text the provider has approved, with its places filled in. */
export function TemplateForm({ inboxId, disabled, onSend }: Props) {
  const { data, error, isPending, refetch } = useQuery(templatesQuery(inboxId));
  const [chosen, setChosen] = useState('');
  const [values, setValues] = useState<readonly string[]>([]);
  if (error) return <Failed what="The approved texts could not be loaded." error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Skeleton rows={1} />;
  const list = inOrder(data);
  const template = list.find((one) => keyOf(one) === chosen);
  const ready = template && !template.unusable ? valuesOf(template, values) : undefined;
  if (list.length === 0) return <p className="mx-3 my-2 text-muted">The provider has approved no text for this number yet.</p>;
  return (
    <form
      aria-label="Send a template"
      className="scroll max-h-[45vh] px-3 pt-2 pb-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (!template || !ready || disabled) return;
        onSend(create(TemplateSchema, { name: template.name, language: template.language, values: ready }), asRead(template, ready));
        setChosen('');
        setValues([]);
      }}
    >
      <Select label="Template" value={chosen} onValue={(key) => { setChosen(key); setValues([]); }} options={[['', 'Choose…'], ...list.map((one) => [keyOf(one), `${one.name} (${one.language})${one.unusable ? ' · cannot be sent here' : ''}`] as const)]} />
      {template?.unusable && <p role="alert" className="mb-3 rounded-lg bg-warn-soft px-2.5 py-1 text-[13px] text-warn">It cannot be sent from here: {template.unusable}.</p>}
      {template && !template.unusable && (
        <>
          <div className="grid gap-x-4 sm:grid-cols-2">
            {Array.from({ length: template.places }, (_, i) => (
              <Input key={i} label={`Place ${i + 1}`} value={values[i] ?? ''} placeholder={template.examples[i] ?? ''} required maxLength={2_000} dir="auto" error={wrongIn(values[i] ?? '') || undefined} onValue={(value) => setValues((old) => Array.from({ length: template.places }, (_, n) => (n === i ? value : old[n] ?? '')))} />
            ))}
          </div>
          <p className="mb-1 text-xs font-semibold text-muted">The customer will read</p>
          <p dir="auto" className="said mb-3 rounded-lg bg-accent-soft px-3 py-2">{asRead(template, values)}</p>
        </>
      )}
      <div className="flex justify-end"><Button look="primary" type="submit" disabled={!ready || disabled}><SendHorizontal size={14} aria-hidden className="rtl:rotate-180" />Send the template</Button></div>
    </form>
  );
}
