// A hub of its own for every test: the real binary, a fresh data directory, a free port.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.mjs';

const binary = process.env.WEFTLINE_TEST_HUB;
if (!binary) throw new Error('WEFTLINE_TEST_HUB names the hub to test; .ci/browser builds it');

export const owner = { name: 'Olu Ade', email: 'olu@desk.test', password: 'correct horse battery' };

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** A port nobody listens on. Between the asking and the use another process could take it; the hub would say so. */
export const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

export class Hub {
  /** config: the configuration file's content as an object. firstRun: no owner yet. */
  static async start({ config = {}, firstRun = false } = {}) {
    const hub = new Hub();
    hub.dir = await mkdtemp(join(tmpdir(), 'weftline-e2e-'));
    hub.port = await freePort();
    hub.url = `http://127.0.0.1:${hub.port}`;
    hub.config = join(hub.dir, 'hub.yaml');
    // JSON is YAML.
    await writeFile(hub.config, JSON.stringify({ ...(firstRun ? {} : { owner }), ...config }));
    await hub.restart();
    return hub;
  }

  async restart() {
    const log = [];
    this.log = log;
    this.child = spawn(binary, ['-config', this.config, '-data', join(this.dir, 'data'), '-listen', `127.0.0.1:${this.port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout.on('data', (text) => log.push(String(text)));
    this.child.stderr.on('data', (text) => log.push(String(text)));
    const child = this.child;
    // A test run that is cut short leaves no hub behind.
    const last = () => child.kill('SIGKILL');
    process.once('exit', last);
    child.once('exit', () => process.off('exit', last));
    this.gone = new Promise((resolve) => child.once('exit', resolve));
    await until('the hub is ready', async () => {
      if (child.exitCode !== null) throw new Error(`the hub ended with ${child.exitCode}:\n${log.join('')}`);
      return (await fetch(this.url + '/readyz')).ok;
    }, { timeout: 30_000 });
  }

  /** As a power cut would: nothing is said, nothing is flushed. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.gone;
    await rm(this.dir, { recursive: true, force: true });
  }

  /** A token that may read and write conversations. */
  async token() {
    this.secret ??= (await promisify(execFile)(binary, ['token', 'create', '-data', join(this.dir, 'data'), '-config', this.config, '-name', 'e2e'])).stdout.trim().split(/\s+/).pop();
    return this.secret;
  }

  /** Calls InboxService, or another, as an integrator. Throws Connect's error object's message. */
  async call(method, body = {}, service = 'weftline.inbox.v1.InboxService') {
    const answer = await fetch(`${this.url}/${service}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await this.token()}` },
      body: JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method}: ${json.code}: ${json.message}`);
    return json;
  }

  /** The conversation whose subject or preview has these words, once it exists. */
  conversation(words) {
    return until(`a conversation with “${words}”`, async () => {
      const { conversations = [] } = await this.call('ListConversations', { pageSize: 100 });
      return conversations.find((one) => `${one.subject ?? ''} ${one.preview ?? ''} ${one.customerName ?? ''}`.includes(words));
    });
  }

  /** Everything the customer of a conversation said and was told, oldest first. */
  async timeline(customerId) {
    const { entries = [] } = await this.call('GetTimeline', { customerId, pageSize: 200 });
    return entries;
  }

  /** How often a text is in the customer's timeline. */
  async count(customerId, text) {
    return (await this.timeline(customerId)).filter((entry) => (entry.message ?? entry.note)?.text?.includes(text)).length;
  }

  logs() {
    return this.log.join('');
  }
}
