import { useEffect, useRef } from 'react';
import type { Channel } from '../gen/weftline/console/v1/console_pb';
import { Input } from '../ui/Field';
import { SettingFields } from './SettingFields';
import type { InboxEdit } from './useInboxEdit';

/** Name, id and settings of an inbox. Secrets are never shown. */
export function InboxSettings({ channel, edit }: { channel: Channel; edit: InboxEdit }) {
  const { fresh, name, id, taken, chosen, errors, failure } = edit;
  const wrongId = taken.has(id) ? 'There is an inbox with this id.' : /[^A-Za-z0-9_-]/.test(chosen) ? 'Letters, digits, _ and - only.' : errors.id;
  const fields = useRef<HTMLDivElement>(null);
  // The form is longer than the screen: whoever is refused is taken to the first thing to mend.
  useEffect(() => {
    const wrong = fields.current?.querySelector<HTMLElement>('[aria-invalid=true]') ?? fields.current?.querySelector<HTMLElement>('[data-failure]');
    if (Object.keys(errors).length > 0 || failure) wrong?.focus();
  }, [errors, failure]);
  return (
    <div ref={fields}>
      <Input label="Name" help="Shown to agents, and to customers where the channel has a sender’s name." value={name} onValue={edit.setName} required maxLength={100} error={errors.name} autoFocus />
      {fresh && (
        <details className="mb-2" open={wrongId ? true : undefined}>
          <summary className="min-h-7 cursor-pointer text-[13px] text-muted">Id: <bdi dir="ltr">{id}</bdi></summary>
          <Input label="Id" help="Stands in addresses and cannot be changed later. Letters, digits, _ and -." dir="ltr" value={chosen} onValue={edit.setChosen} placeholder={id} maxLength={64} error={wrongId} />
        </details>
      )}
      <SettingFields settings={channel.settings} values={edit.values} errors={errors} stored={edit.stored} forgotten={edit.forgotten} onValue={edit.setValue} onForget={edit.setForgotten} />
      {failure && <p role="alert" tabIndex={-1} data-failure className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger"><span className="said">{failure}</span></p>}
    </div>
  );
}
