import { CheckCircle2, HelpCircle, Send, XCircle } from 'lucide-react';
import { useState } from 'react';
import { desk } from '../api/client';
import { refusal } from '../api/error';
import type { Channel, Inbox, SendTestResponse } from '../gen/weftline/console/v1/console_pb';
import { Button } from '../ui/Button';
import { Input } from '../ui/Field';
import { When } from '../ui/When';
import { CopyBox, Embed } from './Embed';
import { pasteOf, type Values } from './fields';

/** What is left to do once an inbox is there: enter things at the provider, and try to send. known: what was just entered. */
export function Connect({ inbox, channel, known }: { inbox: Inbox; channel: Channel; known: Values }) {
  const pasted = pasteOf(channel.paste, channel.settings, { ...inbox.settings, ...known }, inbox.webhookUrl);
  return (
    <>
      {pasted.length > 0 && (
        <section className="mb-4">
          <h3 className="mb-2 font-semibold">Enter this at the provider</h3>
          <ol className="grid gap-3">
            {pasted.map((one) => (
              <li key={one.what}>
                <p className="mb-1 text-[13px]"><b className="font-medium">{one.what}</b> <span className="text-muted">· {one.where}</span></p>
                {one.value ? <CopyBox text={one.value} label="Copy" of={one.what} /> : <p className="text-[13px] text-muted">The one you entered. It is not shown again.</p>}
              </li>
            ))}
          </ol>
          {inbox.webhookUrl.startsWith('http://') && <p className="mt-2 rounded-lg bg-warn-soft px-2.5 py-1.5 text-[13px] text-warn">Providers post to public https addresses only. Set the hub’s public_url to one.</p>}
        </section>
      )}
      {inbox.channel === 'chat' && <Embed inboxId={inbox.id} />}
      {channel.recipient && <TestMessage inbox={inbox} label={channel.recipient.label} help={channel.recipient.help} />}
    </>
  );
}

const faces = {
  sent: { icon: CheckCircle2, words: 'The provider took it.', tone: 'bg-accent-soft text-accent-text' },
  failed: { icon: XCircle, words: 'Not sent.', tone: 'bg-danger-soft text-danger' },
  unknown: { icon: HelpCircle, words: 'Whether it was sent is not known.', tone: 'bg-warn-soft text-warn' },
};

function TestMessage({ inbox, label, help }: { inbox: Inbox; label: string; help: string }) {
  const [address, setAddress] = useState('');
  const [busy, setBusy] = useState(false);
  const [receipt, setReceipt] = useState<SendTestResponse | undefined>();
  const [failure, setFailure] = useState<unknown>();
  const { at: errors, rest } = refusal(failure, ['address']);
  const send = async (): Promise<void> => {
    setBusy(true);
    setReceipt(undefined);
    setFailure(undefined);
    try {
      setReceipt(await desk.sendTest({ inboxId: inbox.id, address: address.trim() }));
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const face = receipt && (faces[receipt.state as keyof typeof faces] ?? faces.sent);
  return (
    <form aria-label="Send a test message" onSubmit={(event) => { event.preventDefault(); void send(); }}>
      <h3 className="mb-2 font-semibold">Send a test message</h3>
      <Input label={label} help={help} value={address} onValue={setAddress} required maxLength={320} dir="ltr" autoComplete="off" error={errors.address} />
      <Button type="submit" disabled={busy || inbox.paused}><Send size={14} aria-hidden className="rtl:rotate-180" />{busy ? 'Sending…' : 'Send the test'}</Button>
      {inbox.paused && <p className="mt-2 text-[13px] text-muted">The inbox is paused: nothing is sent.</p>}
      <div role="status" className="mt-3">
        {face && receipt && (
          <div className={`flex items-start gap-2 rounded-lg px-3 py-2 ${face.tone}`}>
            <face.icon size={16} aria-hidden className="mt-0.5 shrink-0" />
            <div className="min-w-0">
              <p className="font-medium">{face.words} <When at={receipt.at} className="font-normal" /></p>
              {receipt.detail && <p className="said text-[13px] break-words"><bdi>{receipt.detail}</bdi></p>}
              {receipt.providerId && <p className="text-xs break-all">Its id there: <bdi dir="ltr">{receipt.providerId}</bdi></p>}
            </div>
          </div>
        )}
      </div>
      {rest && <p role="alert" className="mt-2 rounded-lg bg-danger-soft px-3 py-2 text-danger">{rest}</p>}
    </form>
  );
}
