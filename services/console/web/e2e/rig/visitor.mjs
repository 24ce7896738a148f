// A customer on a page with the chat widget.
import { until } from './until.mjs';

export class Visitor {
  /** Every frame the widget's websocket received, as text. */
  received = [];
  #sent;

  constructor(stage, context, page) {
    Object.assign(this, { stage, context, page });
  }

  /** Opens the demo page of an inbox and the chat on it. */
  static async arrive(stage, { inbox = 'demo-chat', url, context: given, ...options } = {}) {
    const context = given ?? (await stage.person(options));
    const page = await context.newPage();
    const visitor = new Visitor(stage, context, page);
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => visitor.received.push(String(payload)));
      socket.on('framesent', ({ payload }) => visitor.#sent?.(String(payload)));
    });
    await page.goto(url ?? `${stage.hub.url}/chat/${inbox}/demo`);
    await visitor.open();
    return visitor;
  }

  /** The button lives in a closed shadow root: only its place on the screen can be clicked, as a person does. */
  async open() {
    await this.page.waitForFunction(() => document.querySelector('weftline-chat') !== null);
    const { width, height } = this.page.viewportSize();
    await this.page.mouse.click(width - 48, height - 48);
    this.frame = await until('the chat frame', () => this.page.frames().find((frame) => /\/chat\/[^/]+\/frame/.test(frame.url())));
    await this.box.waitFor();
    await until('the hub welcomed the visitor', () => this.received.some((frame) => JSON.parse(frame).type === 'welcome'));
  }

  /** Told of every frame the widget sends from now on. */
  onSent(told) {
    this.#sent = told;
  }

  get box() {
    return this.frame.locator('.write textarea');
  }

  async say(text) {
    await this.box.fill(text);
    await this.box.press('Enter');
  }

  /** Bubbles with this text. */
  lines(text) {
    return this.frame.locator('article').filter({ hasText: text });
  }

  /** All the text the customer could possibly have: what is drawn, what is hidden, what came over the wire. */
  async everything() {
    const drawn = await Promise.all(this.page.frames().map((frame) => frame.content()));
    return [...drawn, ...this.received].join('\n');
  }
}
