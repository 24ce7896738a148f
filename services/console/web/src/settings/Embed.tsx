import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../ui/Button';
import { say } from '../ui/toast';

/** The one line that puts the chat on a page. */
export function Embed({ inboxId }: { inboxId: string }) {
  const snippet = `<script async src="${location.origin}/chat/${encodeURIComponent(inboxId)}/loader.js"></script>`;
  return (
    <details className="mt-2 text-[13px]">
      <summary className="min-h-7 cursor-pointer font-medium">Put it on your site</summary>
      <p className="my-1 text-muted">Paste this before the end of the page’s body.</p>
      <CopyBox text={snippet} label="Copy the snippet" />
    </details>
  );
}

/** of: what it is, where the label alone does not say it. */
export function CopyBox({ text, label, of }: { text: string; label: string; of?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 2_000);
    } catch {
      say('The browser did not allow copying. Select the text and copy it yourself.', { tone: 'bad' });
    }
  };
  return (
    <div className="flex items-start gap-2 rounded-lg border bg-sunken p-2">
      <code dir="ltr" className="min-w-0 flex-1 text-xs break-all select-all">{text}</code>
      <Button small onClick={() => void copy()}>{copied ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}{copied ? 'Copied' : label}{of && <span className="sr-only">: {of}</span>}</Button>
      <span role="status" className="sr-only">{copied ? 'Copied' : ''}</span>
    </div>
  );
}
