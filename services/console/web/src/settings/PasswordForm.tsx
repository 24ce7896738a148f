import { useState, type FormEvent } from 'react';
import { desk } from '../api/client';
import { byField, describe } from '../api/error';
import { useMe } from '../api/queries';
import { Button } from '../ui/Button';
import { Input } from '../ui/Field';
import { say } from '../ui/toast';

/** Shortest password the hub takes, characters. */
const shortest = 10;

/** The agent's own password: whoever gave it to him knows it no more. */
export function PasswordForm() {
  const me = useMe();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const errors = failure === undefined ? {} : byField(failure);
  const change = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await desk.changePassword({ current, next });
      setCurrent('');
      setNext('');
      say('Your password is changed. Your other logins have ended.');
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form aria-label="Password" onSubmit={(event) => void change(event)} className="mb-6">
      <input type="text" name="username" autoComplete="username" value={me.email} readOnly hidden />
      <div className="grid gap-x-4 sm:grid-cols-2">
        <Input label="Present password" type="password" autoComplete="current-password" value={current} onValue={setCurrent} required error={errors.current} />
        <Input label="New password" type="password" autoComplete="new-password" value={next} onValue={setNext} required minLength={shortest} maxLength={200} help={`At least ${shortest} characters. You stay logged in here, and nowhere else.`} error={errors.next} />
      </div>
      {failure !== undefined && Object.keys(errors).length === 0 && <p role="alert" className="mb-3 rounded-lg bg-danger-soft px-3 py-2 text-danger">{describe(failure)}</p>}
      <Button type="submit" look="primary" aria-disabled={busy}>{busy ? 'Changing…' : 'Change the password'}</Button>
    </form>
  );
}
