import { create, fromJsonString, toJsonString, type MessageInitShape } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientFrameSchema, ServerFrameSchema } from '../src/gen/weftline/realtime/v1/frame_pb';
import { backoff, Connection, quietMs, repeatMs, watchdogMs, type Standing, type Wire } from '../src/live/connection';
import { entry, event } from './fixture';

class FakeWire implements Wire {
  static all: FakeWire[] = [];
  readyState: 0 | 1 | 2 | 3 = 0;
  sent: string[] = [];
  onopen: Wire['onopen'] = null;
  onmessage: Wire['onmessage'] = null;
  onclose: Wire['onclose'] = null;
  constructor() { FakeWire.all.push(this); }
  send(data: string): void { this.sent.push(data); }
  close(): void { this.readyState = 3; }
  opens(): void { this.readyState = 1; this.onopen?.({}); }
  says(frame: MessageInitShape<typeof ServerFrameSchema>['frame']): void {
    this.onmessage?.({ data: toJsonString(ServerFrameSchema, create(ServerFrameSchema, { frame })) });
  }
  breaks(code = 1006): void { this.onclose?.({ code }); }
  get frames() { return this.sent.map((data) => fromJsonString(ClientFrameSchema, data).frame); }
}

const flush = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => {});
const last = (): FakeWire => FakeWire.all[FakeWire.all.length - 1]!;

function setup(ticket: () => Promise<string> = async () => 'ticket') {
  const seen = { standing: [] as Standing[], events: 0, resets: [] as string[], cursor: 'k7' };
  const connection = new Connection({
    open: () => new FakeWire(), ticket, cursor: async () => seen.cursor,
    events: (events) => { seen.events += events.length; seen.cursor = events[events.length - 1]!.cursor; },
    presence: () => {}, reset: (head) => { seen.resets.push(head); seen.cursor = head; }, welcome: () => {},
    standing: (s) => seen.standing.push(s), random: () => 0.5,
  });
  return { connection, seen, phase: () => seen.standing[seen.standing.length - 1]?.phase };
}

beforeEach(() => { vi.useFakeTimers(); FakeWire.all = []; });
afterEach(() => vi.useRealTimers());

describe('connection', () => {
  it('says hello with its cursor, catches up, is live', async () => {
    const { connection, seen, phase } = setup();
    connection.start();
    await flush();
    last().opens();
    expect(last().frames[0]).toMatchObject({ case: 'hello', value: { cursor: 'k7', ticket: 'ticket' } });
    expect(phase()).toBe('catching-up');
    last().says({ case: 'welcome', value: { head: 'k9', build: 'b' } });
    last().says({ case: 'batch', value: { events: [event(8, entry(8)), event(9, entry(9))] } });
    expect(seen.events).toBe(2);
    await vi.advanceTimersByTimeAsync(quietMs);
    expect(phase()).toBe('live');
  });

  it('is offline at once when the browser says so, and back when it is', async () => {
    const { connection, phase } = setup();
    connection.start();
    await flush();
    last().opens();
    last().says({ case: 'welcome', value: { head: 'k8' } });
    const old = last();
    connection.sever();
    expect(phase()).toBe('offline');
    expect(old.readyState).toBe(3);
    connection.sever();
    connection.hurry();
    await flush();
    expect(FakeWire.all).toHaveLength(2);
  });

  it('resumes after its last event when the wire breaks', async () => {
    const { connection, phase } = setup();
    connection.start();
    await flush();
    last().opens();
    last().says({ case: 'welcome', value: { head: 'k8' } });
    last().says({ case: 'batch', value: { events: [event(8, entry(8))] } });
    last().breaks();
    expect(phase()).toBe('offline');
    await vi.advanceTimersByTimeAsync(30_000);
    last().opens();
    expect(FakeWire.all).toHaveLength(2);
    expect(last().frames[0]).toMatchObject({ case: 'hello', value: { cursor: 'k8' } });
  });

  it('answers pings and gives a silent wire up', async () => {
    const { connection, phase } = setup();
    connection.start();
    await flush();
    last().opens();
    last().says({ case: 'ping', value: {} });
    expect(last().frames[1]?.case).toBe('pong');
    await vi.advanceTimersByTimeAsync(watchdogMs - 1);
    expect(phase()).not.toBe('offline');
    await vi.advanceTimersByTimeAsync(1);
    expect(phase()).toBe('offline');
  });

  it('waits longer each time, never gives up, and hurries when asked', async () => {
    let tries = 0;
    const { connection, seen } = setup(async () => { tries++; throw new TypeError('down'); });
    connection.start();
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(tries).toBeGreaterThan(30);
    const before = tries;
    expect(seen.standing[seen.standing.length - 1]!.retryAt).toBeGreaterThan(0);
    connection.hurry();
    await flush();
    expect(tries).toBe(before + 1);
  });

  it('repeats what the agent looks at, also after a reconnect', async () => {
    const { connection } = setup();
    connection.watch('v1', false);
    connection.start();
    await flush();
    last().opens();
    last().says({ case: 'welcome', value: {} });
    expect(last().frames[1]).toMatchObject({ case: 'watch', value: { conversationId: 'v1' } });
    last().says({ case: 'ping', value: {} });
    await vi.advanceTimersByTimeAsync(repeatMs);
    expect(last().frames.filter((f) => f.case === 'watch')).toHaveLength(2);
  });

  it('hands a reset on', async () => {
    const { connection, seen } = setup();
    connection.start();
    await flush();
    last().opens();
    last().says({ case: 'reset', value: { head: 'k99' } });
    expect(seen.resets).toEqual(['k99']);
  });

  it('is read-only when the hub refuses the page', async () => {
    const { connection, phase } = setup();
    connection.start();
    await flush();
    last().opens();
    last().breaks(4003);
    expect(phase()).toBe('read-only');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(FakeWire.all).toHaveLength(1);
  });

  it('stops for good', async () => {
    const { connection } = setup();
    connection.start();
    await flush();
    last().opens();
    connection.stop();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(FakeWire.all).toHaveLength(1);
  });
});

describe('backoff', () => {
  it('stays between half a second and thirty', () => {
    for (let attempt = 0; attempt < 40; attempt++)
      for (const random of [0, 0.3, 0.999]) {
        const wait = backoff(attempt, () => random);
        expect(wait).toBeGreaterThanOrEqual(500);
        expect(wait).toBeLessThanOrEqual(30_000);
      }
  });
});
