// Everybody can use it: axe on every screen in both themes, 320 px, right to left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { reflows, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing, ${colorScheme}`, async (t) => {
    const first = await Stage.open(t, { firstRun: true });
    const setup = await (await first.person({ colorScheme })).newPage();
    await setup.goto(first.hub.url);
    await setup.getByLabel('Your name').waitFor();
    const wrong = [];
    const check = async (name, target) => wrong.push(...(await violations(target)).map((line) => `${name}: ${line}`));
    await check('setup', setup);
    first.end();

    const stage = await Stage.open(t);
    const login = await (await stage.person({ colorScheme })).newPage();
    await login.goto(stage.hub.url + '/login');
    await login.getByLabel('Password').waitFor();
    await check('login', login);

    const visitor = await Visitor.arrive(stage, { colorScheme });
    await visitor.say('hello, hello');
    await visitor.lines('hello, hello').getByText(/Sent|Delivered/).waitFor();
    await check('demo page', visitor.page);
    await check('widget', visitor.frame);

    const chat = await stage.hub.conversation('rather not explain');
    const olu = await Agent.login(stage, undefined, { colorScheme });
    const { page } = olu;
    await olu.row('hello, hello').waitFor();
    await check('inbox', page);
    await olu.goto(chat.id);
    await olu.saw('rather not explain');
    await olu.reply('A reply');
    await olu.lines('A reply').getByText(/Sent|Delivered|Read/).waitFor();
    await check('conversation', page);
    await olu.note('A note');
    await olu.lines('A note').getByText('Only your team').waitFor();
    await check('note', page);
    await page.getByRole('button', { name: /^Status: Open/ }).last().click();
    await page.getByRole('menu').waitFor();
    await check('menu', page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('What do you want to do or find?').waitFor();
    await check('palette', page);
    await page.keyboard.press('Escape');
    const screens = [
      ['search', '/search?q=order', () => page.getByRole('link').filter({ hasText: 'Ada Obi' }).first()],
      ['people', '/customers', () => page.getByText('Lina Haddad')],
      ['inboxes', '/settings/inboxes', () => page.getByText('Demo mailbox')],
      ['agents', '/settings/agents', () => page.getByText('olu@desk.test')],
      ['tokens', '/settings/tokens', () => page.getByText('e2e')],
      ['audit', '/settings/audit', () => page.getByRole('list', { name: 'Audit log' }).getByRole('listitem')],
      ['privacy', '/settings/privacy', () => page.getByRole('heading', { level: 1 })],
      ['repeats', '/settings/repeats', () => page.getByText('What is counted')],
      ['mine', '/settings/mine', () => page.getByRole('heading', { level: 1 })],
      ['missing', '/nowhere', () => page.getByText('There is nothing at this address.')],
    ];
    for (const [name, path, shown] of screens) {
      await page.goto(stage.hub.url + path);
      await shown().first().waitFor();
      await check(name, page);
    }
    await page.goto(stage.hub.url + '/settings/inboxes');
    await page.getByRole('button', { name: 'Add an inbox' }).click();
    await page.getByRole('dialog').getByRole('button', { name: /^SMS/ }).waitFor();
    await check('channels', page);
    await page.getByRole('dialog').getByRole('button', { name: /^SMS/ }).click();
    await page.getByRole('dialog').getByLabel('Provider').waitFor();
    await check('inbox form', page);
    assert.deepEqual(wrong, []);
    stage.end();
  });
}

test('nothing scrolls sideways at 320 px, one pane at a time', async (t) => {
  const stage = await Stage.open(t);
  await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage, undefined, { viewport: { width: 320, height: 640 } });
  const { page } = olu;
  const wide = {};
  const check = async (name) => {
    const found = await reflows(page);
    if (found.scrolls || found.wide.length > 0) wide[name] = found;
  };
  await olu.row('Rechnung 7731').waitFor();
  await check('inbox');
  await olu.open('Rechnung 7731');
  await olu.lines('VAT number').first().waitFor();
  await check('conversation');
  assert.equal(await olu.row('Rechnung 7731').isVisible(), false);
  await page.getByRole('button', { name: /customer$/i }).first().click();
  await page.getByText('lina.haddad@mail.example.org').last().waitFor();
  await check('customer');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Back to the queue' }).click();
  await olu.row('Rechnung 7731').waitFor();
  for (const path of ['/search?q=1042', '/customers', '/settings/inboxes', '/settings/agents', '/settings/tokens', '/settings/audit', '/settings/privacy', '/settings/repeats', '/settings/mine']) {
    await page.goto(stage.hub.url + path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await check(path);
  }
  await page.goto(stage.hub.url + '/inbox');
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.getByRole('dialog').waitFor();
  await check('new conversation');
  for (const path of ['/login', '/chat/demo-chat/demo']) {
    const out = await (await stage.person({ viewport: { width: 320, height: 640 } })).newPage();
    await out.goto(stage.hub.url + path);
    const found = await reflows(out);
    if (found.scrolls) wide[path] = found;
  }
  assert.deepEqual(wide, {});

  // The widget fills a phone and leaves room to write.
  const visitor = await Visitor.arrive(stage, { viewport: { width: 320, height: 640 } });
  await visitor.say('from a phone');
  await visitor.lines('from a phone').waitFor();
  assert.equal(await visitor.frame.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  const box = await visitor.box.boundingBox();
  assert.ok(box.y + box.height <= 640, 'the text box is on the screen');
  stage.end();
});

test('right-to-left words stand where they belong', async (t) => {
  const stage = await Stage.open(t);
  const arabic = 'مرحبا، أين طلبي رقم 1042؟';
  const visitor = await Visitor.arrive(stage);
  await visitor.say(arabic);
  // A line may be drawn anew between the look-up and the reading, so it is read until it stands.
  const reads = (what, place) => until(what, async () => (await place.evaluate((node) => getComputedStyle(node).direction)) === 'rtl');
  await reads('the visitor’s own words run from the right', visitor.lines(arabic).locator('.bubble'));
  const { id } = await stage.hub.conversation('1042؟');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  const said = olu.lines(arabic).getByText(arabic);
  await reads('the message runs from the right', said);
  await olu.write('شكرا');
  await reads('the answer runs from the right', olu.editor);

  // The whole console mirrored: the queue on the right, nothing cut off.
  await olu.page.evaluate(() => { document.documentElement.dir = 'rtl'; });
  const queue = await olu.page.getByRole('region', { name: 'Queue' }).boundingBox();
  assert.ok(queue.x > 720, `the queue starts at ${queue.x}`);
  const found = await reflows(olu.page);
  assert.deepEqual(found, { scrolls: false, wide: [] });
  stage.end();
});
