import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { desk } from '../api/client';
import { describe } from '../api/error';
import { queries, tokensQuery, useMe } from '../api/queries';
import { Role, type Token } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Input } from '../ui/Field';
import { Empty, Failed, Skeleton } from '../ui/State';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { CopyBox } from './Embed';
import { PageHead } from './SettingsPage';

const about = 'For programs that read or write conversations, or follow the event stream. Send it as Authorization: Bearer.';

const scopeWords: Record<string, string> = { inbox: 'Read and write conversations', events: 'Follow the event stream' };

export function TokensPage() {
  return useMe().role === Role.OWNER ? <Tokens /> : (
    <>
      <PageHead title="API tokens" about={about} />
      <Empty icon={<KeyRound size={20} aria-hidden />} title="Only owners can see the API tokens." />
    </>
  );
}

function Tokens() {
  const { data, error, isPending, refetch } = useQuery(tokensQuery);
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="API tokens" about={about}>
        <Button onClick={() => setAdding(true)}><Plus size={15} aria-hidden />New token</Button>
      </PageHead>
      {error && <Failed what="The tokens could not be loaded." error={error} onRetry={() => void refetch()} />}
      {isPending && <Skeleton rows={2} height={56} />}
      {data?.length === 0 && <Empty icon={<KeyRound size={20} aria-hidden />} title="No token yet." />}
      {data && data.length > 0 && <ul className="overflow-hidden rounded-xl border bg-panel">{data.map((token) => <Row key={token.id} token={token} />)}</ul>}
      {adding && <NewToken onClose={() => setAdding(false)} />}
    </>
  );
}

function Row({ token }: { token: Token }) {
  const [sure, setSure] = useState(false);
  const revoke = async (): Promise<void> => {
    try {
      await desk.revokeToken({ id: token.id });
      await queries.invalidateQueries(tokensQuery);
      say('Token revoked.');
    } catch (error) {
      say(`Not revoked. ${describe(error)}`, { tone: 'bad' });
    }
  };
  return (
    <li className="flex min-h-14 flex-wrap items-center gap-3 border-b px-4 py-2 last:border-b-0">
      <div className="min-w-40 flex-1">
        <p className="font-medium"><bdi>{token.name}</bdi></p>
        <p className="text-[13px] text-muted">{token.scopes.map((scope) => scopeWords[scope] ?? scope).join(' · ')}</p>
      </div>
      <p className="text-xs text-muted">Made <When at={token.createdAt} /> · {token.lastUsedAt ? <>used <When at={token.lastUsedAt} /></> : 'not used since the hub started'}</p>
      {sure ? <Button small look="danger" onClick={() => void revoke()}>Yes, revoke</Button> : <Button small aria-label={`Revoke ${token.name}`} onClick={() => setSure(true)}>Revoke…</Button>}
    </li>
  );
}

function NewToken({ onClose }: { onClose(): void }) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<string[]>(['inbox']);
  const [secret, setSecret] = useState('');
  const [failure, setFailure] = useState('');
  const make = async (): Promise<void> => {
    setFailure('');
    try {
      const made = await desk.createToken({ name: name.trim(), scopes });
      setSecret(made.secret);
      await queries.invalidateQueries(tokensQuery);
    } catch (error) {
      setFailure(describe(error));
    }
  };
  if (secret)
    return (
      <Dialog open onClose={onClose} title="Your new token" about="Copy it now: it is not shown again.">
        <CopyBox text={secret} label="Copy" />
        <div className="mt-4 flex justify-end"><Button look="primary" onClick={onClose}>I have it</Button></div>
      </Dialog>
    );
  return (
    <Dialog open onClose={onClose} title="New API token">
      <form onSubmit={(event) => { event.preventDefault(); void make(); }}>
        <Input label="Name" help="What will use it, for example “billing”." value={name} onValue={setName} required autoFocus />
        <fieldset className="mb-4">
          <legend className="mb-1 text-[13px] font-medium">It may</legend>
          {Object.entries(scopeWords).map(([scope, words]) => (
            <label key={scope} className="flex min-h-8 items-center gap-2">
              <input type="checkbox" className="size-4" checked={scopes.includes(scope)} onChange={(event) => setScopes((have) => (event.target.checked ? [...have, scope] : have.filter((s) => s !== scope)))} />{words}
            </label>
          ))}
        </fieldset>
        {failure && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger">{failure}</p>}
        <div className="flex justify-end gap-2"><Button onClick={onClose}>Cancel</Button><Button look="primary" type="submit" disabled={!name.trim() || scopes.length === 0}>Make the token</Button></div>
      </form>
    </Dialog>
  );
}
