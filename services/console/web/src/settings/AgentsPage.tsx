import { create } from '@bufbuild/protobuf';
import { useQuery } from '@tanstack/react-query';
import { Pencil, UserPlus } from 'lucide-react';
import { useState } from 'react';
import { desk } from '../api/client';
import { refusal } from '../api/error';
import { agentsQuery, queries, sessionQuery, useMe } from '../api/queries';
import { AgentSchema, Role, type Agent } from '../gen/weftline/console/v1/console_pb';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Input, Select } from '../ui/Field';
import { Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { PageHead } from './SettingsPage';

export function AgentsPage() {
  const { data, error, isPending, refetch } = useQuery(agentsQuery);
  const me = useMe();
  const owner = me.role === Role.OWNER;
  const [editing, setEditing] = useState<Agent | undefined>();
  return (
    <>
      <PageHead title="Agents" about="Who works here. Every agent may merge and erase customers; owners may also change inboxes, agents and API tokens.">
        {owner && <Button onClick={() => setEditing(create(AgentSchema, { role: Role.AGENT }))}><UserPlus size={15} aria-hidden />Add an agent</Button>}
      </PageHead>
      {error && <Failed what="The agents could not be loaded." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={3} height={56} />}
      <ul className="overflow-hidden rounded-xl border bg-panel">
        {data?.map((agent) => (
          <li key={agent.id} className="flex min-h-14 flex-wrap items-center gap-3 border-b px-4 py-2 last:border-b-0">
            <Avatar name={agent.name} size={34} />
            <div className="min-w-40 flex-1">
              <p className="font-medium"><bdi>{agent.name}</bdi>{agent.id === me.id && <span className="font-normal text-muted"> (you)</span>}</p>
              <p className="text-[13px] text-muted"><bdi dir="ltr">{agent.email}</bdi></p>
            </div>
            <span className="text-[13px] text-muted">{agent.disabled ? 'Disabled' : agent.role === Role.OWNER ? 'Owner' : 'Agent'}</span>
            {owner && <Button small aria-label={`Change ${agent.name}`} onClick={() => setEditing(agent)}><Pencil size={13} aria-hidden />Change</Button>}
          </li>
        ))}
      </ul>
      {editing && <AgentForm agent={editing} onClose={() => setEditing(undefined)} />}
    </>
  );
}

/** Shortest password the hub takes, characters. */
const shortest = 10;

function AgentForm({ agent, onClose }: { agent: Agent; onClose(): void }) {
  const fresh = agent.id === '';
  const [name, setName] = useState(agent.name);
  const [email, setEmail] = useState(agent.email);
  const [role, setRole] = useState(String(agent.role || Role.AGENT));
  const [disabled, setDisabled] = useState(agent.disabled);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const { at: errors, rest } = refusal(failure, ['name', 'email', 'role', 'password']);
  const save = async (): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await desk.saveAgent({ agent: { id: agent.id, name: name.trim(), email: email.trim(), role: Number(role), disabled }, password });
      await Promise.all([queries.invalidateQueries(agentsQuery), queries.invalidateQueries(sessionQuery)]);
      say(fresh ? 'Agent added.' : 'Agent changed.');
      onClose();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open onClose={onClose} title={fresh ? 'Add an agent' : `Change ${agent.name}`} about={fresh ? 'Tell them the password; they log in with their email address.' : ''}>
      <form onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <Input label="Name" value={name} onValue={setName} required autoFocus error={errors.name} />
        <Input label="Email" type="email" dir="ltr" value={email} onValue={setEmail} required error={errors.email} />
        <Select label="Role" value={role} onValue={setRole} options={[[String(Role.AGENT), 'Agent'], [String(Role.OWNER), 'Owner']]} error={errors.role} />
        <Input label="Password" type="password" autoComplete="new-password" value={password} onValue={setPassword} required={fresh} minLength={shortest} help={fresh ? `At least ${shortest} characters.` : `Empty keeps the old one. At least ${shortest} characters.`} error={errors.password} />
        {!fresh && <label className="mb-3 flex min-h-8 items-center gap-2"><input type="checkbox" className="size-4" checked={disabled} onChange={(event) => setDisabled(event.target.checked)} />Disabled: may no longer log in</label>}
        {rest && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger">{rest}</p>}
        <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button look="primary" type="submit" disabled={busy}>{busy ? 'Saving…' : 'Save'}</Button></div>
      </form>
    </Dialog>
  );
}
