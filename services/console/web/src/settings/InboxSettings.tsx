import type { Channel } from '../gen/weftline/console/v1/console_pb';
import { Input } from '../ui/Field';
import { SettingFields } from './SettingFields';
import type { InboxEdit } from './useInboxEdit';

/** Name, id and settings of an inbox. Secrets are never shown. */
export function InboxSettings({ channel, edit }: { channel: Channel; edit: InboxEdit }) {
  const { fresh, name, id, taken, chosen, errors, failure } = edit;
  return (
    <>
      <Input label="Name" help="Shown to agents, and to customers where the channel has a sender’s name." value={name} onValue={edit.setName} required maxLength={100} error={errors.name} autoFocus />
      {fresh && (
        <details className="mb-2" open={errors.id ? true : undefined}>
          <summary className="min-h-7 cursor-pointer text-[13px] text-muted">Id: <bdi dir="ltr">{id}</bdi></summary>
          <Input label="Id" help="Stands in addresses and cannot be changed later. Letters, digits, _ and -." dir="ltr" value={chosen} onValue={edit.setChosen} placeholder={id} maxLength={64} pattern="[A-Za-z0-9_\-]+" error={taken.has(id) ? 'There is an inbox with this id.' : errors.id} />
        </details>
      )}
      <SettingFields settings={channel.settings} values={edit.values} errors={errors} stored={!fresh} onValue={edit.setValue} />
      {failure && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger"><span className="said">{failure}</span></p>}
    </>
  );
}
