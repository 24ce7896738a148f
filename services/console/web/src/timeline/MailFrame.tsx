import { ImageOff } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Attachment } from '../gen/weftline/inbox/v1/types_pb';
import { Button } from '../ui/Button';
import { inlinePictures, prepare, remotePictures } from './mail';

/** Heights of frames seen before: a line that scrolls back into view is as high as it was. */
const heights = new Map<string, number>();
const highest = 4_000;

type Props = { id: string; html: string; quoted: boolean; attachments: readonly Attachment[]; title: string };
const none: ReadonlyMap<string, string> = new Map();

/** HTML mail in a frame without scripts, without an origin and without a network. */
export function MailFrame({ id, html, quoted, attachments, title }: Props) {
  const [inline, setInline] = useState(none);
  const [remote, setRemote] = useState(none);
  const [asked, setAsked] = useState<'no' | 'loading' | 'done'>('no');
  const [width, setWidth] = useState(0);
  const holder = useRef<HTMLDivElement>(null);
  const prepared = useMemo(() => prepare(html, quoted, inline, remote), [html, quoted, inline, remote]);
  const key = `${id} ${quoted} ${width} ${inline.size} ${remote.size}`;
  const [height, setHeight] = useState(heights.get(key) ?? heights.get(id) ?? 120);

  useEffect(() => {
    let gone = false;
    if (html.includes('cid:')) void inlinePictures(attachments, html).then((map) => !gone && map.size > 0 && setInline(map));
    return () => void (gone = true);
  }, [html, attachments]);

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (width === 0) return;
    const known = heights.get(key);
    if (known) {
      setHeight(known);
      return;
    }
    return measure(prepared.html, width, (pixels) => {
      heights.set(key, pixels);
      heights.set(id, pixels);
      setHeight(pixels);
    });
  }, [prepared.html, width, key, id]);

  const show = async (): Promise<void> => {
    setAsked('loading');
    setRemote(await remotePictures(prepared.remote));
    setAsked('done');
  };
  return (
    <div ref={holder} className="-mx-1">
      {prepared.remote.length > 0 && (
        <p className="mb-1.5 flex flex-wrap items-center gap-2 px-1 text-xs text-muted">
          <ImageOff size={14} aria-hidden />
          {asked === 'done' ? 'Some pictures could not be had. Each can be opened by itself.' : <span title="Loading them would tell the sender that you looked.">{prepared.remote.length} remote {prepared.remote.length === 1 ? 'picture' : 'pictures'} blocked</span>}
          {asked !== 'done' && <Button small disabled={asked === 'loading'} onClick={() => void show()}>{asked === 'loading' ? 'Loading…' : 'Show pictures'}</Button>}
        </p>
      )}
      <iframe
        title={title}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        referrerPolicy="no-referrer"
        srcDoc={prepared.html}
        className="block w-full rounded-lg border-0 bg-white"
        style={{ height, colorScheme: 'light' }}
      />
    </div>
  );
}

/**
 * Measures a document in a second frame that nobody sees and that may not run
 * scripts either: the shown frame has no origin, so it cannot be asked.
 */
function measure(html: string, width: number, done: (pixels: number) => void): () => void {
  const frame = document.createElement('iframe');
  frame.setAttribute('sandbox', 'allow-same-origin');
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  frame.style.cssText = `position:fixed;inset-inline-start:-10000px;inset-block-start:0;width:${width}px;height:10px;visibility:hidden`;
  frame.srcdoc = html;
  frame.onload = () => {
    const body = frame.contentDocument?.documentElement;
    if (body) done(Math.min(highest, Math.max(40, Math.ceil(body.scrollHeight) + (body.scrollWidth > width ? 16 : 0))));
    frame.remove();
  };
  document.body.append(frame);
  return () => frame.remove();
}
