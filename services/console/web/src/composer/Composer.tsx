import { Lock, Paperclip, Reply, SendHorizontal, StickyNote } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { newKey } from '../api/client';
import { useInboxName, useMe } from '../api/queries';
import { Status, type Conversation, type Template } from '../gen/weftline/inbox/v1/types_pb';
import { perform, useActions } from '../keyboard/actions';
import { askAhead, forgetAhead, takeAhead, wanted } from '../keyboard/ahead';
import { spoken } from '../keyboard/keymap';
import { connection } from '../live/live';
import { useLive } from '../live/store';
import { submit } from '../outbox/sender';
import { Button, IconButton } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { called } from '../person/called';
import { refuted } from '../person/words';
import { cx } from '../ui/cx';
import { Level } from '../ui/Level';
import { useNow } from '../ui/When';
import { discardAll, enclose, restore, useFiles } from './enclosure';
import { Files } from './Files';
import { takeBack } from './giveback';
import { toMail, toSource } from './plain';
import { counter, onlyTemplate, refusedBy, tooLarge, tooMuch, windowLeft } from './reach';
import { useDraft } from './useDraft';
import type { Handle, Written } from './Editor';

const TemplateForm = lazy(() => import('./TemplateForm').then((m) => ({ default: m.TemplateForm })));
const Editor = lazy(() => import('./Editor').then((m) => ({ default: m.Editor })));
const empty: Written = { source: '', text: '', html: '' };
const noFiles: readonly never[] = [];

/** Longest text the hub takes, characters. */
const longest = 100_000;

export function Composer({ row, lastSeen }: { row: Conversation; lastSeen: bigint }) {
  const me = useMe();
  // Asked for while the conversation was loading, it opens as what was asked for.
  const [kind, setKind] = useState<'reply' | 'note'>(() => wanted() ?? 'reply');
  const note = kind === 'note';
  const handle = useRef<Handle | undefined>(undefined);
  const wantFocus = useRef(false);
  const [written, setWritten] = useState<Written>(empty);
  const { draft, state } = useDraft(row.id, kind, (text) => handle.current?.set(text));
  const files = useFiles((s) => s.of[row.id]) ?? noFiles;
  const [tools, setTools] = useState<HTMLElement | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const phase = useLive((s) => s.standing.phase);

  const target = row.replyTarget;
  const now = useNow();
  const refused = note ? '' : refusedBy(target, now);
  const closed = !note && onlyTemplate(target, now);
  const can = note ? undefined : target?.capabilities;
  const left = note || refused ? '' : windowLeft(target, now);
  const much = tooMuch(can, written.text, note ? [] : files.map((file) => ({ name: file.name, type: file.stored?.contentType ?? '', size: file.size })));
  const count = counter(can, written.text);
  const rich = !note && target?.channel === 'email';
  const uploading = !note && files.some((file) => !file.stored && !file.error);
  const tooLong = written.text.length > longest;
  const nothing = written.text.trim() === '' && (note || files.length === 0);
  const blocked = nothing || refused !== '' || uploading || tooLong || much !== '' || phase === 'read-only';

  const show = (next: 'reply' | 'note', focus: boolean): void => {
    wantFocus.current = focus;
    if (next === kind) {
      if (handle.current?.alive()) handle.current.focus();
      else if (focus && !closed) askAhead(next);
      return;
    }
    if (focus) askAhead(next);
    void draft.flush();
    handle.current = undefined;
    setWritten(empty);
    setKind(next);
  };
  useEffect(() => {
    if (!closed) return;
    handle.current = undefined; // its editor is gone
    forgetAhead();
  }, [closed]);
  useActions({ reply: () => show('reply', true), note: () => show('note', true), attach: () => (note ? false : picker.current?.click()) });

  const send = (close: boolean): void => {
    if (blocked) return;
    submit({
      key: newKey(), kind, conversationId: row.id, customerId: row.customerId, author: me.id,
      text: written.text, html: rich ? toMail(written.html) : '', source: written.source,
      attachments: note ? [] : files.flatMap((file) => (file.stored ? [file.stored] : [])),
      answers: note ? '' : target?.answers ?? '', lastSeen, force: false, close: !note && close,
      state: 'queued', reason: '', newer: [], newerVersion: 0n, createdAt: Date.now(),
    });
    handle.current?.set('');
    draft.clear();
    if (!note) discardAll(row.id);
    typing(false);
    if (!note && close) perform('next');
    else handle.current?.focus();
  };

  const sendTemplate = (template: Template, text: string): void => submit({
    key: newKey(), kind: 'reply', conversationId: row.id, customerId: row.customerId, author: me.id,
    text, html: '', source: '', attachments: [], template,
    answers: target?.answers ?? '', lastSeen, force: false, close: false,
    state: 'queued', reason: '', newer: [], newerVersion: 0n, createdAt: Date.now(),
  });

  const pause = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const typing = (on: boolean): void => {
    clearTimeout(pause.current);
    connection.watch(row.id, on);
    if (on) pause.current = setTimeout(() => connection.watch(row.id, false), 4_000);
  };
  useEffect(() => () => clearTimeout(pause.current), []);

  useEffect(() => takeBack(row.id, (item) => {
    restore(row.id, item.attachments);
    if (item.kind !== kind) {
      void draft.flush();
      setKind(item.kind);
      localBack.current = item.source;
      return;
    }
    const whole = draft.text ? toSource(draft.text) + item.source : item.source;
    if (!handle.current) { // no text can be written now: it waits in the draft
      draft.type(whole);
      return;
    }
    handle.current.set(whole);
    handle.current.focus();
  }), [row.id, kind, draft]);
  const localBack = useRef('');

  return (
    <section
      aria-label={note ? 'Write a note' : 'Write a reply'}
      data-pane="composer"
      tabIndex={-1}
      className={cx('border-t-2 outline-none', note ? 'border-dashed border-note-line bg-note text-note-ink' : 'border-line bg-panel')}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => { if (!note && event.dataTransfer.files.length > 0) { event.preventDefault(); enclose(row.id, event.dataTransfer.files); } }}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 pt-1.5">
        <div role="group" aria-label="Reply or note" className="flex gap-1">
          <Mode on={!note} onChoose={() => show('reply', true)} keys="r"><Reply size={14} aria-hidden />Reply</Mode>
          <Mode on={note} onChoose={() => show('note', true)} keys="n"><StickyNote size={14} aria-hidden />Note</Mode>
        </div>
        <Recipient row={row} note={note} />
        <span role="status" className="ms-auto text-xs text-muted">{!written.source ? '' : state === 'saved' ? 'Draft saved' : state === 'local' ? 'Draft kept here' : ''}</span>
      </div>
      {closed && <p role="status" className="mx-3 mt-1 rounded-lg bg-warn-soft px-2.5 py-1 text-[13px] text-warn">No text can be sent: <bdi>{refused}</bdi></p>}
      {closed && <Suspense fallback={<div className="skeleton mx-3 my-2 h-16" />}><TemplateForm key={row.id} inboxId={target?.inboxId ?? ''} disabled={phase === 'read-only'} onSend={sendTemplate} /></Suspense>}
      {refused && !closed && <p role="alert" className="mx-3 mt-1 rounded-lg bg-warn-soft px-2.5 py-1 text-[13px] text-warn">No reply can be sent: <bdi>{refused}</bdi></p>}
      {!closed && <><Suspense fallback={<div className="skeleton mx-3 my-2 h-16" />}>
        <Editor
          key={row.id + kind + rich}
          initial={() => draft.text}
          rich={rich}
          label={note ? 'Internal note, only your team sees it' : `Reply to ${called(row.customerName, row.customerId)}`}
          placeholder={note ? 'A note for your team. The customer never sees it.' : 'Write a reply…'}
          onWrite={(next) => { setWritten(next); draft.type(next.source); if (next.text && !note) typing(true); }}
          onSend={send}
          onFiles={(list) => !note && enclose(row.id, list)}
          onReady={(ready) => {
            handle.current = ready;
            if (localBack.current) { ready.set(toSource(draft.text) + localBack.current); localBack.current = ''; }
            const typed = takeAhead(kind);
            if (wantFocus.current || typed !== undefined) ready.focus();
            if (typed) ready.add(typed);
            wantFocus.current = false;
          }}
          onBlur={() => void draft.flush()}
          tools={tools}
        />
      </Suspense>
      {!note && <Files conversationId={row.id} files={files} large={(file) => tooLarge(can, file) !== ''} />}
      <div className="flex flex-wrap items-center gap-2 px-3 pt-1 pb-2.5">
        {!note && (
          <>
            <IconButton label="Attach a file" keys={spoken('Mod+Shift+U')} onClick={() => picker.current?.click()}><Paperclip size={16} aria-hidden /></IconButton>
            <input ref={picker} type="file" multiple hidden onChange={(event) => { enclose(row.id, event.target.files ?? []); event.target.value = ''; }} />
          </>
        )}
        <div ref={setTools} />
        {count && <span className={cx('text-xs', much ? 'text-danger' : 'text-muted')}>{count}</span>}
        {left && <span className="text-xs text-muted">window ends in {left}</span>}
        {much && !tooLong && <span role="alert" className="text-xs text-danger">{much}</span>}
        {tooLong && <span role="alert" className="text-xs text-danger">At most {longest.toLocaleString()} characters.</span>}
        <div className="ms-auto flex gap-2">
          {!note && row.status !== Status.CLOSED && <Button disabled={blocked} title={`Send and close (${spoken('Mod+Shift+Enter')})`} onClick={() => send(true)}>Send and close</Button>}
          <Button look={note ? 'note' : 'primary'} disabled={blocked} title={spoken('Mod+Enter')} onClick={() => send(false)}>
            {note ? <><Lock size={14} aria-hidden />Add note</> : <><SendHorizontal size={14} aria-hidden className="rtl:rotate-180" />{phase === 'offline' ? 'Send later' : 'Send'}</>}
          </Button>
        </div>
      </div></>}
    </section>
  );
}

function Mode({ on, onChoose, keys, children }: { on: boolean; onChoose(): void; keys: string; children: React.ReactNode }) {
  return (
    <button aria-pressed={on} title={keys} onClick={onChoose} className={cx('flex min-h-7 items-center gap-1.5 rounded-lg px-2 text-[13px] font-medium', on ? 'bg-ink/10 underline decoration-2 underline-offset-4' : 'opacity-85 hover:bg-ink/6')}>
      {children}
    </button>
  );
}

/** Exactly who will read it, and how it gets there. */
function Recipient({ row, note }: { row: Conversation; note: boolean }) {
  const inbox = useInboxName();
  if (note) return <p className="flex items-center gap-1 text-[13px] font-semibold"><Lock size={13} aria-hidden />Only your team</p>;
  const target = row.replyTarget;
  if (!target?.handle) return null;
  const address = target.channel === 'chat' || !target.handle.address ? called(row.customerName, row.customerId) : target.handle.address;
  return (
    <p className="flex min-w-0 flex-wrap items-center gap-x-1 text-[13px] text-muted">
      To <b className="min-w-0 truncate font-semibold text-ink"><bdi dir={target.channel === 'chat' ? undefined : 'ltr'}>{address}</bdi></b>
      by <span className="inline-flex items-center gap-1 text-ink"><ChannelIcon channel={target.channel} size={13} /><span aria-hidden>{channelName(target.channel)}</span></span>
      {target.inboxId && <>via <bdi className="text-ink">{inbox(target.inboxId)}</bdi></>}
      <span aria-hidden>·</span><Level of={target.handle.assurance} size={13} />
      {target.handle.refuted && <span title={refuted} className="rounded bg-warn-soft px-1 text-xs font-medium text-warn">Refuted<span className="sr-only">: the sender does not own this address</span></span>}
    </p>
  );
}
