// The widget on somebody else's page, which allows next to nothing.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

/** A shop of another origin with a strict policy: only the hub's scripts and frames. */
async function shop(t, hubUrl, inbox) {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': `default-src 'none'; script-src ${hubUrl()}; frame-src ${hubUrl()}` });
    response.end(`<!doctype html><html lang="en"><title>Shop</title><h1>A strict shop</h1><script async src="${hubUrl()}/chat/${inbox}/loader.js"></script>`);
  });
  await new Promise((up) => server.listen(0, '127.0.0.1', up));
  t.after(() => new Promise((down) => { server.closeAllConnections(); server.close(down); }));
  return `http://localhost:${server.address().port}`;
}

test('a strict host page needs two directives and nothing else', async (t) => {
  let hub;
  const site = await shop(t, () => hub, 'shop');
  const stage = await Stage.open(t, { config: { inboxes: [
    { id: 'shop', channel: 'chat', name: 'Shop', settings: { allowed_origins: site, greeting: 'Hello from the shop.' } },
    { id: 'other', channel: 'chat', name: 'Other', settings: { allowed_origins: 'https://elsewhere.test' } },
  ] } });
  hub = stage.hub.url;
  const context = await stage.person();
  await context.addInitScript(() => {
    window.__violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  await page.goto(site);
  await page.waitForFunction(() => document.querySelector('weftline-chat'));
  assert.equal(page.frames().length, 1, 'no frame before the chat is opened');
  assert.equal(await page.evaluate(() => document.querySelector('weftline-chat').shadowRoot), null, 'the shadow root is closed');
  assert.equal(await page.evaluate(() => document.cookie + Object.keys(localStorage).join()), '');
  await page.close();

  const visitor = await Visitor.arrive(stage, { url: site, context });
  assert.equal(visitor.page.frames().length, 2, 'one frame after');
  await visitor.frame.getByText('Hello from the shop.').waitFor();
  await visitor.say('from another site');
  await visitor.lines('from another site').getByText(/Sent|Delivered/).waitFor();
  assert.deepEqual(await visitor.page.evaluate(() => window.__violations), []);
  assert.deepEqual(await visitor.frame.evaluate(() => window.__violations), []);
  assert.deepEqual(await context.cookies(site), []);

  // Esc closes, the page's own button has the focus again, an answer shows on it.
  const olu = await Agent.login(stage);
  await olu.open('from another site');
  await olu.saw('from another site');
  await visitor.box.press('Escape');
  await until('the chat is closed', () => visitor.page.evaluate(() => document.activeElement?.tagName === 'WEFTLINE-CHAT'));
  await olu.reply('Welcome, stranger.');
  await visitor.lines('Welcome, stranger.').waitFor({ state: 'attached' });
  const { nodes } = await (await context.newCDPSession(visitor.page)).send('Accessibility.getFullAXTree');
  assert.ok(nodes.some((node) => node.role?.value === 'button' && /1 unread/.test(node.name?.value ?? '')), 'the button tells of one unread');
  await visitor.page.keyboard.press('Enter');
  await visitor.lines('Welcome, stranger.').waitFor();
  stage.end();
});

test('a site that is not allowed gets no chat', async (t) => {
  let hub;
  const site = await shop(t, () => hub, 'other');
  const stage = await Stage.open(t, { config: { inboxes: [{ id: 'other', channel: 'chat', name: 'Other', settings: { allowed_origins: 'https://elsewhere.test' } }] } });
  hub = stage.hub.url;
  const page = await (await stage.person()).newPage();
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(site);
  await page.waitForFunction(() => document.querySelector('weftline-chat'));
  const refused = page.waitForEvent('requestfailed').catch(() => {});
  await page.evaluate(() => window.weftline('open'));
  await refused;
  await until('the frame was refused', () => page.frames().length === 2 && !/\/chat\//.test(page.frames()[1].url()));
  assert.deepEqual(sockets, []);
  // The browser says so in its console, as it should.
  assert.ok(stage.errors.every((error) => error.includes('frame-ancestors')), stage.errors.join('\n'));
  stage.errors.length = 0;
  stage.end();
});
