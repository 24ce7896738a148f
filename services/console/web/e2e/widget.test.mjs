// The widget as a visitor meets it: asked first, closed or open, in his language, invited, on a phone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { eyes, site } from './rig/site.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** Business hours of the day after tomorrow only: closed now, whatever the clock says. */
const closed = `${days[(new Date().getUTCDay() + 2) % 7]} 09:00-17:00`;

const settings = {
  shop: {},
  ask: { form_name: 'required', form_email: 'required', form_phone: 'optional', form_question: 'optional', form_consent: 'You may keep what I write.' },
  away: { hours: closed, texts: 'de.greeting = Willkommen im Laden.\\nde.name = Laden' },
  bubble: { invitations: '/cart* | 1 | Need help with your order? | de: Hilfe bei der Bestellung?' },
};

async function stageOf(t, options) {
  let hub;
  const sites = {};
  for (const id of Object.keys(settings)) sites[id] = await site(t, () => hub, id, options);
  const stage = await Stage.open(t, { config: { inboxes: Object.entries(settings).map(([id, own]) => ({ id, channel: 'chat', name: 'Shop', settings: { allowed_origins: sites[id].url, ...own } })) } });
  hub = stage.hub.url;
  return { stage, sites };
}

/** axe over the frame and over the page with its launcher, in both lights. */
async function clean(visitor) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    await visitor.page.emulateMedia({ colorScheme });
    for (const target of [visitor.frame, visitor.page]) found.push(...(await violations(target)).map((line) => `${colorScheme}: ${line}`));
  }
  return found;
}

const launcher = (page) => page.locator('weftline-chat .go');

test('a form first, an agent who sees it, files, emoji and the count on the button', async (t) => {
  const { stage, sites } = await stageOf(t);
  const context = await stage.person();
  await context.addInitScript(eyes);
  const page = await context.newPage();
  const visitor = new Visitor(stage, context, page);
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => visitor.received.push(String(payload))));
  await page.goto(sites.ask.url);
  await launcher(page).click();
  visitor.frame = await until('the chat frame', () => page.frames().find((frame) => /\/chat\/ask\/frame/.test(frame.url())));
  const { frame } = visitor;
  const form = frame.getByRole('form', { name: 'Before we begin' });
  const start = frame.getByRole('button', { name: 'Start the chat' });
  await start.waitFor();
  assert.equal(await visitor.box.isVisible(), false, 'nothing can be written before the form');
  await until('the first field has the focus', () => form.getByLabel('Name').evaluate((node) => node === document.activeElement));
  assert.deepEqual(await clean(visitor), []);
  await start.click();
  await frame.getByRole('alert').filter({ hasText: 'Please fill this in.' }).first().waitFor();
  await frame.getByRole('alert').filter({ hasText: 'Please agree to go on.' }).waitFor();
  await until('the first wrong field has the focus', () => form.getByLabel('Name').evaluate((node) => node === document.activeElement));
  assert.deepEqual(await clean(visitor), [], 'with what is wrong');
  await form.getByLabel('Name').fill('Ada Obi');
  await form.getByLabel('E-mail address').fill('ada@example.org');
  await form.getByLabel(/Phone number/).fill('030 1234');
  await form.getByLabel(/How can we help/).fill('My kettle does not boil.');
  await form.getByLabel('You may keep what I write.').check();
  await start.click();
  await frame.getByRole('alert').filter({ hasText: 'This does not look right.' }).waitFor(); // the hub says so
  await form.getByLabel(/Phone number/).fill('+49 30 123456');
  await start.click();
  await visitor.box.waitFor();

  // Emoji come from a file of their own, by keyboard, too.
  assert.ok(!(await frame.evaluate(() => performance.getEntriesByType('resource').some((entry) => entry.name.endsWith('emoji.js')))), 'not fetched before it is wanted');
  await visitor.box.fill('It is broken ');
  await frame.getByRole('button', { name: 'Emoji' }).click();
  const grid = frame.getByRole('group', { name: 'Emoji' });
  await grid.waitFor();
  assert.deepEqual(await clean(visitor), [], 'with the emoji');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await grid.waitFor({ state: 'detached' });
  await until('the focus is back', () => visitor.box.evaluate((node) => node === document.activeElement));
  assert.match(await visitor.box.inputValue(), /^It is broken \p{Extended_Pictographic}/u);
  await visitor.box.press('Enter');
  await visitor.lines('It is broken').getByText(/Sent|Delivered/).waitFor();

  // A file is dropped, another pasted.
  for (const [kind, name] of [['drop', 'dropped.txt'], ['paste', 'pasted.txt']]) {
    await visitor.box.evaluate((node, [event, file]) => {
      const data = new DataTransfer();
      data.items.add(new File(['what is in it'], file, { type: 'text/plain' }));
      node.dispatchEvent(event === 'drop' ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }) : new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }, [kind, name]);
    await frame.getByRole('button', { name: new RegExp(name) }).waitFor();
  }

  // The agent sees what was given, as said and not as proven.
  const olu = await Agent.login(stage);
  const { conversations: [{ id, customerId }] } = await stage.hub.call('ListConversations', {});
  await olu.goto(id);
  await olu.lines('Given before the chat (typed, not verified)').first().waitFor();
  await olu.lines('My kettle does not boil.').first().waitFor();
  await olu.lines('+4930123456').first().waitFor();
  await olu.saw('pasted.txt');
  // The visitor reads his own words alone, and is not asked for what he gave.
  const own = async () => {
    await visitor.lines('My kettle does not boil.').first().waitFor();
    assert.equal(await visitor.frame.getByText(/typed, not verified|Agreed to/).count(), 0, 'our words to agents are not his');
    assert.equal(await visitor.frame.getByText('If we miss each other').filter({ visible: true }).count(), 0, 'the address is asked for again');
  };
  await own();

  // An answer while the chat is closed is counted on the button, also after a reload.
  await visitor.box.press('Escape');
  await until('the button has the focus again', () => launcher(page).evaluate((node) => node === node.getRootNode().activeElement));
  await olu.reply('We will send you another.');
  const unread = page.locator('weftline-chat .go[aria-label="Open chat, 1 unread"]');
  await unread.waitFor();
  await page.reload();
  await unread.waitFor();
  assert.deepEqual(await violations(page), [], 'the launcher with a count');
  await launcher(page).click();
  visitor.frame = await until('the frame after the reload', () => page.frames().find((one) => /\/chat\/ask\/frame/.test(one.url())));
  await visitor.lines('We will send you another.').waitFor();
  await own();
  assert.equal(await visitor.frame.getByRole('button', { name: 'Start the chat' }).count(), 0, 'nobody is asked twice');
  await until('it is read', async () => (await stage.hub.timeline(customerId)).some((entry) => /READ/.test(entry.message?.delivery ?? '')));
  const heard = visitor.received.length;
  await page.reload();
  await until('the transcript came again', () => visitor.received.slice(heard).some((text) => JSON.parse(text).type === 'messages'));
  await page.locator('weftline-chat .go[aria-label="Open chat"]').waitFor();

  assert.deepEqual(await page.evaluate(() => window.__violations), []);
  assert.deepEqual(sites.ask.reports, [], 'the page’s own policy has nothing to report');
  stage.end();
});

test('closed: when it opens next, an address first, and messages all the same', async (t) => {
  const { stage, sites } = await stageOf(t, { attributes: 'data-language="de"' });
  const context = await stage.person();
  await context.addInitScript(eyes);
  const visitor = await Visitor.arrive(stage, { url: sites.away.url, context });
  await visitor.frame.getByText(/Wir sind gerade nicht da\..* wieder da\./).waitFor();
  await visitor.frame.getByText('Willkommen im Laden.').waitFor();
  await visitor.frame.getByRole('heading', { name: 'Laden' }).waitFor();
  await visitor.frame.getByLabel('E-Mail-Adresse').waitFor();
  assert.equal(await visitor.frame.evaluate(() => document.documentElement.lang), 'de');
  assert.deepEqual(await clean(visitor), []);
  await visitor.say('Ich schreibe trotzdem.');
  await visitor.lines('Ich schreibe trotzdem.').getByText(/Gesendet|Zugestellt/).waitFor();
  await stage.hub.conversation('trotzdem');
  stage.end();
});

test('from right to left, in both lights, open and closed', async (t) => {
  const { stage, sites } = await stageOf(t, { dir: 'rtl', lang: 'ar', attributes: 'data-language="ar"' });
  const context = await stage.person();
  await context.addInitScript(eyes);
  const page = await context.newPage();
  const visitor = new Visitor(stage, context, page);
  await page.goto(sites.shop.url);
  await launcher(page).waitFor();
  assert.equal(await launcher(page).getAttribute('aria-label'), 'فتح الدردشة');
  const at = await launcher(page).boundingBox();
  assert.ok(at.x < 100, 'the button is at the end of the line, which is left');
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], 'the launcher');
  }
  await launcher(page).click();
  visitor.frame = await until('the chat frame', () => page.frames().find((frame) => /\/frame/.test(frame.url())));
  await visitor.box.waitFor();
  assert.deepEqual(await visitor.frame.evaluate(() => [document.documentElement.dir, document.documentElement.lang]), ['rtl', 'ar']);
  await visitor.say('مرحبا https://shop.example/a');
  await visitor.lines('مرحبا').waitFor();
  // The bubble is drawn anew when the hub has taken the message: for a moment there is none.
  const bubble = await until('the bubble has a place', () => visitor.lines('مرحبا').boundingBox());
  const log = await visitor.frame.getByRole('log').boundingBox();
  assert.ok(bubble.x - log.x < 30, 'one’s own words stand at the end of the line');
  assert.deepEqual(await clean(visitor), []);
  stage.end();
});

test('an invitation begins nothing before it is answered', async (t) => {
  const { stage, sites } = await stageOf(t);
  const context = await stage.person({ locale: 'de-DE' });
  await context.addInitScript(eyes);
  const page = await context.newPage();
  const visitor = new Visitor(stage, context, page);
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(sites.bubble.url + '/tea');
  await launcher(page).waitFor();
  // The same page goes on to the cart, as single-page shops do.
  await page.evaluate(() => history.pushState({}, '', '/cart?step=1'));
  const bubble = page.locator('weftline-chat .ask');
  const words = bubble.getByRole('button', { name: 'Hilfe bei der Bestellung?' });
  await words.waitFor();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], 'the bubble');
  }
  assert.equal(page.frames().length, 1, 'no frame');
  assert.deepEqual(sockets, [], 'no connection');
  await words.click();
  visitor.frame = await until('the chat frame', () => page.frames().find((frame) => /\/frame/.test(frame.url())));
  await visitor.box.waitFor();
  await visitor.frame.locator('article.us').filter({ hasText: 'Hilfe bei der Bestellung?' }).waitFor();
  assert.deepEqual(await clean(visitor), []);
  assert.equal((await stage.hub.call('ListConversations', {})).conversations?.length ?? 0, 0, 'no conversation');
  await visitor.say('Ja, bitte.');
  const { customerId } = await stage.hub.conversation('Ja, bitte.');
  assert.match(JSON.stringify(await stage.hub.timeline(customerId)), /Hilfe bei der Bestellung\?/, 'the agent is told what was asked');

  // Once: not on the next page, nor in the next tab.
  const tab = await context.newPage();
  await tab.goto(sites.bubble.url + '/cart');
  await launcher(tab).waitFor();
  assert.equal(await tab.evaluate(() => performance.getEntriesByType('resource').some((entry) => entry.name.endsWith('invite.js'))), false, 'nothing is left to wait for');
  assert.deepEqual(await page.evaluate(() => window.__violations), []);
  assert.deepEqual(sites.bubble.reports, []);
  stage.end();
});

test('on a phone it takes the whole screen, and nothing moves for who wants no motion', async (t) => {
  const { stage, sites } = await stageOf(t);
  const context = await stage.person({ viewport: { width: 375, height: 667 }, hasTouch: true, isMobile: true });
  await context.addInitScript(eyes);
  const visitor = await Visitor.arrive(stage, { url: sites.shop.url, context });
  const panel = visitor.page.locator('weftline-chat .box');
  assert.deepEqual(await panel.boundingBox(), { x: 0, y: 0, width: 375, height: 667 });
  assert.equal(await launcher(visitor.page).isVisible(), false);
  await visitor.frame.evaluate(() => {
    window.gone = 0;
    new MutationObserver((changes) => changes.forEach((change) => (window.gone += change.removedNodes.length))).observe(document.querySelector('[role=log]'), { childList: true });
  });
  await visitor.say('from a phone');
  await visitor.frame.locator('article.you.delivered').filter({ hasText: 'from a phone' }).waitFor();
  assert.equal(await visitor.frame.evaluate(() => window.gone), 0, 'a state is shown in the bubble that is there');
  assert.equal(await visitor.lines('from a phone').evaluate((node) => getComputedStyle(node).animationName), 'none');
  assert.ok(await visitor.box.evaluate((node) => parseFloat(getComputedStyle(node).fontSize) >= 16), 'iOS does not zoom into the field');
  // The keyboard takes half of the screen: the panel fits what is left.
  await visitor.page.evaluate(() => {
    Object.defineProperty(visualViewport, 'height', { value: 300 });
    visualViewport.dispatchEvent(new Event('resize'));
  });
  assert.equal((await panel.boundingBox()).height, 300);
  assert.deepEqual(await clean(visitor), []);
  await visitor.frame.getByRole('button', { name: 'Close chat' }).click();
  await launcher(visitor.page).waitFor();
  stage.end();
});
