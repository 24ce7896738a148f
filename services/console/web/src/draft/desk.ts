import { desk } from '../api/client';
import { arrived, confirmed, isDirty, nothing, typed, type Held } from './guard';

export type DraftKind = 'reply' | 'note';
export type SaveState = 'saved' | 'saving' | 'local';

/** How long after the last key a draft is saved. */
const afterMs = 400;

/** How long after a hub that did not answer it is asked again. */
const againMs = 5_000;

/**
 * One draft being written: kept in this browser at every key and on the hub
 * soon after. Nothing that comes from elsewhere replaces words being typed.
 */
export class Draft {
  private held: Held;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: ReturnType<typeof setTimeout> | undefined;
  private saving = false;
  private closed = false;

  constructor(
    readonly conversationId: string,
    readonly kind: DraftKind,
    private readonly show: (text: string) => void,
    private readonly tell: (state: SaveState) => void,
  ) {
    this.held = this.local();
  }

  get text(): string {
    return this.held.text;
  }

  /** Asks the hub for what another device may have written. */
  async open(): Promise<void> {
    try {
      const { draft } = await desk.getDraft({ conversationId: this.conversationId, kind: this.kind });
      if (this.closed || !draft) return;
      this.become(arrived(this.held, { text: draft.text, revision: Number(draft.revision) }, Date.now()));
    } catch {
      if (this.closed) return;
      // An empty editor would look as if nothing had been written.
      this.tell('local');
      clearTimeout(this.asking);
      this.asking = setTimeout(() => void this.open(), againMs);
    }
    if (isDirty(this.held)) this.saveSoon();
  }

  type(text: string): void {
    const next = typed(this.held, text, Date.now());
    if (next === this.held) return;
    this.held = next;
    this.keep();
    this.tell('local');
    this.saveSoon();
  }

  /** Forgets the words: they were sent or thrown away. */
  clear(): void {
    this.type('');
    void this.flush();
  }

  /** Saves now. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    if (!isDirty(this.held) || this.saving) return;
    this.saving = true;
    this.tell('saving');
    const { text, revision } = this.held;
    try {
      const { draft } = await desk.saveDraft({ draft: { conversationId: this.conversationId, kind: this.kind, text, revision: BigInt(revision) } });
      this.become(confirmed(this.held, { text: draft?.text ?? text, revision: Number(draft?.revision ?? revision) }, Date.now()));
      this.tell(isDirty(this.held) ? 'local' : 'saved');
    } catch {
      this.tell('local');
      this.timer = setTimeout(() => void this.flush(), againMs);
      return;
    } finally {
      this.saving = false;
    }
    if (isDirty(this.held)) this.saveSoon();
  }

  /** Last words while the page goes away: a request that outlives it. */
  flushOnExit(): void {
    if (!isDirty(this.held)) return;
    const { text, revision } = this.held;
    void fetch('/weftline.console.v1.ConsoleService/SaveDraft', {
      method: 'POST',
      keepalive: true,
      headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
      body: JSON.stringify({ draft: { conversationId: this.conversationId, kind: this.kind, text, revision: String(revision) } }),
    }).catch(() => {});
  }

  /** After close: listens again. */
  reopen(): void {
    this.closed = false;
  }

  /** Saves and stops listening to the hub. */
  close(): void {
    void this.flush();
    clearTimeout(this.asking);
    this.closed = true;
  }

  private saveSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), afterMs);
  }

  private become(next: Held): void {
    const changed = next.text !== this.held.text;
    this.held = next;
    this.keep();
    if (changed && !this.closed) this.show(next.text);
  }

  private get storageKey(): string {
    return `weftline.draft.${this.conversationId}.${this.kind}`;
  }

  private local(): Held {
    try {
      const stored = JSON.parse(localStorage.getItem(this.storageKey) ?? 'null') as Held | null;
      return stored ? { ...nothing, ...stored, typedAt: 0 } : nothing;
    } catch {
      return nothing;
    }
  }

  private keep(): void {
    try {
      if (this.held.text || isDirty(this.held)) localStorage.setItem(this.storageKey, JSON.stringify(this.held));
      else localStorage.removeItem(this.storageKey);
    } catch {
      // Without local storage the hub's copy remains.
    }
  }
}
