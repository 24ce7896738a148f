import { AlertTriangle, Check, CheckCheck, CircleHelp, Clock3, Download, Reply, RotateCw, XCircle } from 'lucide-react';
import { lazy, memo, Suspense, useState } from 'react';
import { inbox as hub, newKey } from '../api/client';
import { describe } from '../api/error';
import { useAgentName, useInboxName } from '../api/queries';
import { DeliveryState, Direction, type Message, type TimelineEntry } from '../gen/weftline/inbox/v1/types_pb';
import { Button } from '../ui/Button';
import { channelName, ChannelIcon } from '../ui/Channel';
import { cx } from '../ui/cx';
import { Level } from '../ui/Level';
import { say } from '../ui/toast';
import { When } from '../ui/When';
import { Attachments } from './Attachments';
import { Changed, Reactions } from './Changed';
import { useTimeline } from './context';
import { faces } from './delivery';
import { EntryTools } from './EntryTools';
import { Flags } from './Flags';
import { isRich } from './rich';
import { Said } from './Said';
import { mostSelected, select, useSelecting } from './selecting';
import { Whose } from './Whose';

const MailFrame = lazy(() => import('./MailFrame').then((m) => ({ default: m.MailFrame })));

export const MessageLine = memo(function MessageLine({ entry, message, follows, customerName }: { entry: TimelineEntry; message: Message; follows: boolean; customerName: string }) {
  const name = useAgentName();
  const out = message.direction === Direction.OUTBOUND;
  const rich = isRich(message.html);
  const [plain, setPlain] = useState(false);
  const [quoted, setQuoted] = useState(false);
  const speaker = out ? (message.author ? name(message.author, message.fromName) : message.fromName || 'Weftline') : message.fromName || (entry.channel === 'chat' ? customerName : message.from || entry.handle?.address) || 'Customer';
  const framed = rich && !plain && !message.unparsed;
  return (
    <article aria-label={`${channelName(entry.channel)} ${out ? 'reply by' : 'from'} ${speaker}`} className={cx('group flex flex-col', out ? 'items-end' : 'items-start', follows ? 'py-0.5' : 'pt-2 pb-0.5')}>
      {!follows && <Head entry={entry} message={message} out={out} speaker={speaker} />}
      <Choose entry={entry} speaker={speaker} text={message.text} />
      <div className={cx(
        'max-w-[85%] min-w-24 overflow-hidden rounded-2xl border px-3.5 py-2',
        framed && 'w-full', out ? 'rounded-ee-md border-accent-text/20 bg-accent-soft' : 'rounded-es-md bg-raised',
      )}>
        {message.subject && entry.channel === 'email' && !follows && <p dir="auto" className="mb-1 text-[13px] font-semibold">{message.subject}</p>}
        {message.deletedAt
          ? <p className="text-muted italic">Deleted by the customer</p>
          : message.unparsed
          ? <Unparsed reason={message.unparsed} />
          : framed
            ? <Suspense fallback={<div className="skeleton h-24" />}><MailFrame id={entry.id} html={message.html} quoted={quoted} attachments={message.attachments} title={`Mail from ${speaker}`} /></Suspense>
            : <Said text={message.text || (message.flags.includes('erased') ? '(erased)' : message.attachments.length > 0 ? '' : '(no text)')} />}
        {quoted && !framed && <div className="mt-2 border-s-2 border-line-strong/50 ps-3 text-muted"><Said text={message.quoted} /></div>}
        <Attachments of={message.attachments} />
        <Changed message={message} />
        <div className="flex flex-wrap gap-x-3">
          {message.quoted && <button aria-expanded={quoted} className="min-h-6 text-xs text-muted underline underline-offset-2" onClick={() => setQuoted(!quoted)}>{quoted ? 'Hide quoted text' : 'Show quoted text'}</button>}
          {rich && message.text && <button className="min-h-6 text-xs text-muted underline underline-offset-2" onClick={() => setPlain(!plain)}>{plain ? 'With formatting' : 'As plain text'}</button>}
          {message.original && !out && !message.flags.includes('masked') && (entry.channel === 'email' || message.unparsed) && <a className="flex min-h-6 items-center gap-1 text-xs text-muted underline underline-offset-2" href={`/originals/${encodeURIComponent(message.original)}`} download><Download size={12} aria-hidden />{message.unparsed ? 'Download the original' : 'Original'}</a>}
        </div>
      </div>
      <Reactions of={message.reactions} />
      {out && <Delivery entry={entry} message={message} />}
    </article>
  );
});

function Head({ entry, message, out, speaker }: { entry: TimelineEntry; message: Message; out: boolean; speaker: string }) {
  const inbox = useInboxName();
  const address = message.from || entry.handle?.address;
  return (
    <header className="mb-1 flex max-w-[85%] flex-wrap items-center gap-x-1.5 gap-y-0.5 px-1 text-xs text-muted">
      <ChannelIcon channel={entry.channel} size={13} />
      <span className="font-semibold text-ink"><bdi>{speaker}</bdi></span>
      {!out && address && address !== speaker && entry.channel !== 'chat' && <span>‹<bdi dir="ltr">{address}</bdi>›</span>}
      {entry.inboxId && <span>{out ? 'by' : 'to'} <bdi>{inbox(entry.inboxId)}</bdi></span>}
      {out && entry.handle?.address && entry.channel !== 'chat' && <span className="flex items-center gap-0.5"><Reply size={11} aria-hidden /><span className="sr-only">to </span><bdi dir="ltr">{entry.handle.address}</bdi></span>}
      {message.cc.length > 0 && <span>Cc {message.cc.map((cc, i) => <bdi key={cc} dir="ltr">{i > 0 && ', '}{cc}</bdi>)}</span>}
      <span aria-hidden>·</span><When at={entry.recordedAt} />
      {!out && <Level of={message.assurance} />}
      <Whose entry={entry} />
      <EntryTools entry={entry} />
      <Flags of={message} />
    </header>
  );
}

/** While messages are chosen to become a conversation of their own. */
function Choose({ entry, speaker, text }: { entry: TimelineEntry; speaker: string; text: string }) {
  const choosing = useSelecting((s) => s.conversationId === entry.conversationId);
  const chosen = useSelecting((s) => s.ids.includes(entry.id));
  const full = useSelecting((s) => s.ids.length >= mostSelected);
  if (!choosing) return null;
  return (
    <label className="flex min-h-7 items-center gap-1.5 px-1 text-xs font-medium"><input type="checkbox" className="size-4" checked={chosen} disabled={full && !chosen} onChange={() => select(entry.id)} />Take this message<span className="sr-only"> by {speaker}: {text.slice(0, 80)}</span></label>
  );
}

function Unparsed({ reason }: { reason: string }) {
  return <p className="flex items-start gap-2 text-danger"><AlertTriangle size={16} aria-hidden className="mt-0.5 shrink-0" /><span>This message could not be read: <bdi>{reason}</bdi>. Nothing is lost: the original is kept.</span></p>;
}

const icons = {
  [DeliveryState.UNSPECIFIED]: Clock3, [DeliveryState.QUEUED]: Clock3, [DeliveryState.RETRYING]: RotateCw, [DeliveryState.UNKNOWN]: CircleHelp,
  [DeliveryState.SENT]: Check, [DeliveryState.DELIVERED]: CheckCheck, [DeliveryState.READ]: CheckCheck, [DeliveryState.FAILED]: XCircle,
} as const;

function Delivery({ entry, message }: { entry: TimelineEntry; message: Message }) {
  const [busy, setBusy] = useState(false);
  const { past } = useTimeline();
  const face = faces[message.delivery];
  if (!face.label) return null;
  const Icon = icons[message.delivery];
  const retry = async (): Promise<void> => {
    setBusy(true);
    try {
      await hub.retryReply({ conversationId: entry.conversationId, entryId: entry.id, idempotencyKey: newKey() });
      say('Sending again.');
    } catch (error) {
      say(describe(error), { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={cx('mt-0.5 flex max-w-[85%] flex-wrap items-center justify-end gap-x-1.5 px-1 text-xs', { quiet: 'text-muted', good: 'text-accent-text', warn: 'text-warn', bad: 'text-danger' }[face.tone])}>
      <span title={face.plain} className="inline-flex items-center gap-1"><Icon size={13} aria-hidden />{face.label}</span>
      {message.deliveryDetail && face.tone !== 'good' && <span>· <bdi>{message.deliveryDetail}</bdi></span>}
      {face.retry && !past && <Button small look="ghost" className="text-xs! text-current! underline" disabled={busy} onClick={() => void retry()}>Send again</Button>}
    </div>
  );
}
