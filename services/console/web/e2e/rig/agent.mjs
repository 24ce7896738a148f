// An agent at the console: what people do there, in their words.
import { owner } from './hub.mjs';
import { until } from './until.mjs';

export const second = { name: 'Lee Park', email: 'lee@desk.test', password: 'another long password' };

export class Agent {
  constructor(stage, context, page, who) {
    Object.assign(this, { stage, context, page, who });
  }

  /** Logs in through the login page and waits until the console is live. */
  static async login(stage, who = owner, { path = '/inbox', context: given, ...options } = {}) {
    const context = given ?? (await stage.person(options));
    const page = await context.newPage();
    await page.goto(`${stage.hub.url}/login?next=${encodeURIComponent(path)}`);
    await page.getByLabel('E-mail address').fill(who.email);
    await page.getByLabel('Password').fill(who.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
    return new Agent(stage, context, page, who);
  }

  /** Makes another agent, as the agents page does, and logs it in. */
  async colleague(who = second, options = {}) {
    await this.rpc('SaveAgent', { agent: { name: who.name, email: who.email, role: 'ROLE_AGENT' }, password: who.password });
    return Agent.login(this.stage, who, options);
  }

  /** Calls ConsoleService with this page's session. */
  rpc(method, body) {
    return this.page.evaluate(async ([path, json]) => {
      const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) });
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
      return answer.json();
    }, [`/weftline.console.v1.ConsoleService/${method}`, body]);
  }

  row(words) {
    return this.page.getByRole('option').filter({ hasText: words });
  }

  get timeline() {
    return this.page.getByRole('log');
  }

  get editor() {
    return this.page.locator('.ProseMirror');
  }

  /** Opens the conversation whose row has these words. */
  async open(words) {
    await this.row(words).first().click();
    await this.editor.waitFor();
  }

  async goto(conversationId) {
    await this.page.goto(`${this.stage.hub.url}/c/${conversationId}`);
    await this.editor.waitFor();
  }

  async write(text) {
    await this.editor.click();
    await this.editor.pressSequentially(text);
  }

  async reply(text) {
    await this.write(text);
    await this.page.getByRole('button', { name: 'Send', exact: true }).click();
  }

  async note(text) {
    await this.page.getByRole('button', { name: 'Note', exact: true }).click();
    await this.page.getByLabel('Internal note, only your team sees it').waitFor();
    await this.write(text);
    await this.page.getByRole('button', { name: 'Add note' }).click();
  }

  /** Lines of the timeline with this text. */
  lines(text) {
    return this.timeline.getByRole('article').filter({ hasText: text });
  }

  /** Waits until the newest words count as seen: before that a reply is held back, and rightly. */
  async saw(text) {
    await this.lines(text).last().waitFor();
    const conversationId = new URL(this.page.url()).pathname.split('/').pop();
    await until(`${this.who.name} has seen “${text}”`, async () => {
      const { conversation } = await this.stage.hub.call('GetConversation', { conversationId });
      const seen = await this.page.evaluate((id) => JSON.parse(localStorage.getItem('weftline.seen') ?? '{}')[id] ?? 0, conversationId);
      return seen >= Number(conversation.version);
    });
  }

  /** What a reply that was held back says. */
  get refusal() {
    return this.page.getByRole('dialog', { name: 'Something new came in' });
  }
}
