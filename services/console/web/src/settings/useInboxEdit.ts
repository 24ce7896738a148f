import { useQuery } from '@tanstack/react-query';
import { create } from '@bufbuild/protobuf';
import { useState } from 'react';
import { desk } from '../api/client';
import { byField, byWords, describe } from '../api/error';
import { inboxesQuery, queries } from '../api/queries';
import { InboxSchema, type Channel, type Inbox, type TestInboxResponse } from '../gen/weftline/console/v1/console_pb';
import { idOf, sendable, unplaced } from './fields';

/** An inbox as somebody fills it in: its values, what is wrong with them, and the orders. */
export function useInboxEdit(channel: Channel, inbox: Inbox) {
  const fresh = inbox.id === '';
  const [name, setName] = useState(inbox.name);
  const [chosen, setChosen] = useState('');
  const [values, setValues] = useState<Readonly<Record<string, string>>>(inbox.settings);
  const [forgotten, setForgotten] = useState<ReadonlySet<string>>(new Set());
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [failure, setFailure] = useState('');
  const [outcome, setOutcome] = useState<TestInboxResponse | undefined>();
  const [busy, setBusy] = useState<'test' | 'save' | 'delete' | undefined>();
  const taken = new Set((useQuery(inboxesQuery).data ?? []).map((one) => one.id));
  const id = fresh ? chosen || idOf(name, channel.name, taken) : inbox.id;
  const current = (): Inbox => create(InboxSchema, { id, channel: channel.name, name: name.trim(), settings: sendable(channel.settings, values, inbox.settings) });

  // What is entered anew replaces what is stored.
  const forget = (): string[] => [...forgotten].filter((key) => !values[key]);

  const wrong = (found: Readonly<Record<string, string>>, words: string): void => {
    setErrors(found);
    const rest = unplaced(found, channel.settings, values);
    setFailure(Object.keys(found).length === 0 ? words : rest.join(' · '));
  };
  const run = async <T>(what: 'test' | 'save' | 'delete', order: () => Promise<T>): Promise<T | undefined> => {
    setBusy(what);
    setErrors({});
    setFailure('');
    try {
      return await order();
    } catch (error) {
      wrong(byField(error), describe(error));
      return undefined;
    } finally {
      setBusy(undefined);
    }
  };

  return {
    fresh, name, setName, chosen, setChosen, id, taken, values, errors, failure, outcome, busy, forgotten,
    stored: inbox.storedSecrets,
    /** Whether a stored secret is to go. */
    setForgotten: (key: string, gone: boolean) => setForgotten((old) => new Set(gone ? [...old, key] : [...old].filter((one) => one !== key))),
    setValue: (key: string, value: string) => {
      setOutcome(undefined); // of other settings than these
      setValues((old) => ({ ...old, [key]: value }));
    },
    /** Tries to connect. False: the settings themselves are wrong, and errors says where. */
    test: async (): Promise<boolean> => {
      setOutcome(undefined);
      const got = await run('test', () => desk.testInbox({ inbox: current(), forget: forget() }));
      if (!got) return false;
      const found = got.ok || got.steps.length > 0 ? {} : byWords(got.detail);
      if (Object.keys(found).length > 0) {
        wrong(found, got.detail);
        return false;
      }
      setOutcome(got);
      return true;
    },
    save: async (): Promise<Inbox | undefined> => {
      const saved = await run('save', () => desk.saveInbox({ inbox: current(), forget: forget() }));
      if (saved) await queries.invalidateQueries(inboxesQuery);
      return saved?.inbox;
    },
    drop: async (): Promise<boolean> => {
      const gone = await run('delete', () => desk.saveInbox({ inbox: current(), delete: true }));
      if (gone) await queries.invalidateQueries(inboxesQuery);
      return gone !== undefined;
    },
  };
}

export type InboxEdit = ReturnType<typeof useInboxEdit>;
