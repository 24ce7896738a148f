import { create, fromJsonString, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { ClientFrameSchema, ServerFrameSchema, type Event, type Presence } from '../gen/weftline/realtime/v1/frame_pb';

/** live: every event arrives. catching-up: a replay runs. offline: no connection. read-only: the hub refuses this page. */
export type Phase = 'connecting' | 'catching-up' | 'live' | 'offline' | 'read-only';

export type Standing = { phase: Phase; /** When offline: the next attempt, ms since epoch. */ retryAt: number; /** Last frame, ms since epoch. */ heardAt: number };

/** What a connection needs of a websocket; the browser's own fits. */
export type Wire = Pick<WebSocket, 'send' | 'close' | 'readyState'> & {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
};

export type Hooks = {
  open(): Wire;
  /** One-time ticket. Rejects when the hub cannot be reached. */
  ticket(): Promise<string>;
  /** Resume after this. Awaited, so that a first snapshot may name it. */
  cursor(): Promise<string>;
  events(events: readonly Event[]): void;
  presence(presence: Presence): void;
  /** Everything known may be wrong: fetch again, continue from head. */
  reset(head: string): void;
  welcome(head: string, build: string): void;
  standing(standing: Standing): void;
  random?(): number;
};

/** No frame for this long means that the connection is dead, whatever the browser believes. */
export const watchdogMs = 45_000;

/** Quiet for this long after a welcome means that the replay is over. */
export const quietMs = 1_200;

/** What this agent looks at is forgotten by the hub unless it is said again, ms. */
export const repeatMs = 10_000;

/** Full jitter between 0.5 s and min(30 s, 1 s · 2^attempt). */
export function backoff(attempt: number, random: () => number): number {
  const ceiling = Math.min(30_000, 1_000 * 2 ** Math.min(attempt, 10));
  return 500 + random() * Math.max(0, ceiling - 500);
}

/** One websocket that never gives up. start() and stop() may be called again. */
export class Connection {
  private wire: Wire | undefined;
  private attempt = 0;
  private generation = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private quiet: ReturnType<typeof setTimeout> | undefined;
  private watching = { conversationId: '', typing: false };
  private state: Standing = { phase: 'connecting', retryAt: 0, heardAt: 0 };
  private greeted = false;
  private repeat: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly hooks: Hooks) {}

  start(): void {
    this.stop();
    void this.dial(++this.generation);
  }

  stop(): void {
    this.generation++;
    this.drop();
    clearTimeout(this.timer);
  }

  /** Connect now instead of at retryAt: the network came back, the page woke up, the agent asked. */
  hurry(): void {
    if (this.state.phase !== 'offline') return;
    clearTimeout(this.timer);
    this.attempt = 0;
    void this.dial(++this.generation);
  }

  /** The browser says that the network is gone: the wire is dead long before the watchdog can tell. */
  sever(): void {
    if (this.state.phase === 'offline' || this.state.phase === 'read-only') return;
    this.lost(0, 0);
  }

  /** Tells the others what this agent looks at. Remembered across reconnects. */
  watch(conversationId: string, typing: boolean): void {
    if (this.watching.conversationId === conversationId && this.watching.typing === typing) return;
    this.watching = { conversationId, typing };
    if (this.greeted) this.send({ case: 'watch', value: { conversationId, typing } });
  }

  private async dial(generation: number): Promise<void> {
    this.tell({ phase: this.state.phase === 'offline' ? 'offline' : 'connecting', retryAt: 0 });
    try {
      const [ticket, cursor] = await Promise.all([this.hooks.ticket(), this.hooks.cursor()]);
      if (generation !== this.generation) return;
      const wire = this.hooks.open();
      this.wire = wire;
      this.guard(generation);
      wire.onopen = () => {
        this.tell({ phase: 'catching-up', retryAt: 0 });
        this.send({ case: 'hello', value: { cursor, ticket } });
      };
      wire.onmessage = (message: MessageEvent) => {
        if (generation !== this.generation) return;
        this.guard(generation);
        this.hear(String(message.data));
      };
      wire.onclose = (event: CloseEvent) => {
        if (generation === this.generation) this.lost(event.code, 0);
      };
    } catch {
      if (generation === this.generation) this.lost(0, 0);
    }
  }

  private hear(data: string): void {
    this.state.heardAt = Date.now();
    const { frame } = fromJsonString(ServerFrameSchema, data, { ignoreUnknownFields: true });
    switch (frame.case) {
      case 'welcome':
        this.attempt = 0;
        this.greeted = true;
        this.hooks.welcome(frame.value.head, frame.value.build);
        if (this.watching.conversationId) this.send({ case: 'watch', value: this.watching });
        this.repeat = setInterval(() => {
          if (this.watching.conversationId) this.send({ case: 'watch', value: this.watching });
        }, repeatMs);
        this.settle();
        break;
      case 'batch':
        this.hooks.events(frame.value.events);
        if (this.state.phase !== 'live') this.settle();
        break;
      case 'reset':
        this.hooks.reset(frame.value.head);
        break;
      case 'presence':
        this.hooks.presence(frame.value);
        break;
      case 'ping':
        this.send({ case: 'pong', value: {} });
        break;
      case 'bye':
        this.lost(frame.value.code, frame.value.retryAfterMs);
        break;
    }
  }

  /** The replay ends when nothing comes for a moment: cursors are opaque and cannot be compared. */
  private settle(): void {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.tell({ phase: 'live', retryAt: 0 }), this.state.phase === 'live' ? 0 : quietMs);
  }

  private lost(code: number, retryAfterMs: number): void {
    this.generation++;
    this.drop();
    clearTimeout(this.timer);
    if (code === 4003 || code === 4012) {
      this.tell({ phase: 'read-only', retryAt: 0 });
      return;
    }
    const random = this.hooks.random ?? Math.random;
    const wait = retryAfterMs > 0 ? retryAfterMs * (0.5 + random() / 2) : backoff(this.attempt, random);
    this.attempt++;
    this.tell({ phase: 'offline', retryAt: Date.now() + wait });
    this.timer = setTimeout(() => void this.dial(++this.generation), wait);
  }

  private guard(generation: number): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      if (generation === this.generation) this.lost(4009, 0);
    }, watchdogMs);
  }

  private drop(): void {
    clearTimeout(this.watchdog);
    clearTimeout(this.quiet);
    clearInterval(this.repeat);
    this.greeted = false;
    const wire = this.wire;
    this.wire = undefined;
    if (!wire) return;
    wire.onopen = wire.onmessage = wire.onclose = null;
    wire.close();
  }

  private send(frame: MessageInitShape<typeof ClientFrameSchema>['frame']): void {
    if (this.wire?.readyState !== 1) return;
    this.wire.send(toJsonString(ClientFrameSchema, create(ClientFrameSchema, { frame })));
  }

  private tell(change: { phase: Phase; retryAt: number }): void {
    this.state = { ...this.state, ...change };
    this.hooks.standing({ ...this.state });
  }
}
