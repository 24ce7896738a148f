// No mouse: the queue, an answer, a note, dialogs and the way back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { until } from './rig/until.mjs';

test('everything is done with keys', async (t) => {
  const stage = await Stage.open(t);
  await stage.hub.conversation('rather not explain');
  const { id, customerId } = await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage);
  const { page } = olu;
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  await olu.row('Rechnung 7731').waitFor();
  const active = () => page.getByRole('listbox').getAttribute('aria-activedescendant');

  // j until the invoice is marked, then open it.
  await until('the invoice is marked', async () => {
    await press('j');
    return (await active()) === 'row-' + id;
  });
  await press('k');
  assert.notEqual(await active(), 'row-' + id);
  await press('j', 'o');
  await page.waitForURL(`**/c/${id}*`);
  await olu.editor.waitFor();

  await press('r');
  await until('the reply has the focus', () => olu.editor.evaluate((node) => node.contains(document.activeElement)));
  await page.keyboard.type('The VAT number is DE 123.');
  await press('Control+Enter');
  await olu.lines('The VAT number is DE 123.').getByText(/Sent|Delivered/).waitFor();
  assert.equal(await stage.hub.count(customerId, 'The VAT number is DE 123.'), 1);

  // Esc leaves the text and then the conversation; typed letters were not taken for commands meanwhile.
  await press('Escape');
  await until('the timeline has the focus', () => page.evaluate(() => document.activeElement?.getAttribute('role') === 'log'));
  await press('n');
  await page.getByLabel('Internal note, only your team sees it').waitFor();
  await until('the note has the focus', () => olu.editor.evaluate((node) => node.contains(document.activeElement)));
  await page.keyboard.type('jkeasr');
  await press('Control+Enter');
  await olu.lines('jkeasr').getByText('Only your team').waitFor();
  await press('Escape');

  // Dialogs give the focus back.
  await press('s');
  await page.getByRole('dialog', { name: 'Snooze' }).waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await press('?');
  await page.getByRole('dialog').getByText('Next conversation', { exact: true }).waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.notEqual(await page.evaluate(() => document.activeElement?.tagName), 'IFRAME');

  await press('e');
  await page.locator('main').getByRole('button', { name: 'Status: Closed' }).waitFor();
  await press('e');
  await page.locator('main').getByRole('button', { name: 'Status: Open' }).waitFor();

  // F6 goes through every pane and comes round again.
  const panes = new Set();
  for (let i = 0; i < 8; i++) {
    await press('F6');
    panes.add(await page.evaluate(() => document.activeElement?.closest('[data-pane]')?.getAttribute('data-pane')));
  }
  for (const pane of ['queue', 'timeline', 'composer', 'customer']) assert.ok(panes.has(pane), `F6 never came to the ${pane}`);

  // The queue is a listbox of its own right.
  await until('the queue has the focus', async () => {
    await press('F6');
    return page.evaluate(() => document.activeElement?.getAttribute('role') === 'listbox');
  });
  // The invoice moved to the top when it was answered.
  await press('Home');
  await until('the mark is at the top', async () => (await active()) === 'row-' + id);
  await press('End', 'Enter');
  await until('another conversation is open', () => !page.url().includes(id));
  await press('Escape');
  await press('Escape');
  await page.getByRole('heading', { name: 'Choose a conversation' }).waitFor();
  stage.end();
});

test('tab reaches every control of the page and is caught nowhere', async (t) => {
  const stage = await Stage.open(t);
  const { id } = await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  await olu.page.evaluate(() => { document.activeElement?.blur(); });
  const visited = [];
  for (let i = 0; i < 80; i++) {
    await olu.page.keyboard.press('Tab');
    const here = await olu.page.evaluate(() => {
      const node = document.activeElement;
      if (!node || node === document.body) return 'body';
      const { outlineStyle, boxShadow } = getComputedStyle(node);
      return `${node.tagName} ${node.getAttribute('aria-label') ?? node.textContent?.slice(0, 30) ?? ''}${outlineStyle === 'none' && boxShadow === 'none' && !node.classList.contains('ProseMirror') && node.tagName !== 'IFRAME' ? ' NO FOCUS RING' : ''}`;
    });
    if (visited.includes('body') && here === 'body') break;
    visited.push(here);
    if (here === 'body' && visited.length > 3) break;
  }
  assert.ok(visited.includes('body'), `the focus never left the page again:\n${visited.join('\n')}`);
  for (const wanted of [/Inbox/, /listbox|Conversations/, /Timeline of/, /Reply to|Write/, /Status/]) assert.ok(visited.some((one) => wanted.test(one)), `${wanted} was not reached:\n${visited.join('\n')}`);
  assert.deepEqual(visited.filter((one) => one.endsWith('NO FOCUS RING')), []);
  stage.end();
});

test('what is typed before the editor is there becomes the reply', async (t) => {
  const stage = await Stage.open(t);
  const { id } = await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage);
  const { page } = olu;
  let open;
  const held = new Promise((resolve) => { open = resolve; });
  await page.route('**/assets/Editor*.js', async (route) => {
    await held;
    await route.continue();
  });
  await olu.row('Rechnung 7731').click();
  await page.getByRole('group', { name: 'Reply or note' }).waitFor();
  await page.keyboard.press('r');
  await page.keyboard.type('Here it is: see');
  assert.equal(await page.getByRole('dialog').count(), 0);
  open();
  await until('it is in the reply', async () => (await olu.editor.innerText()).trim() === 'Here it is: see');
  await page.keyboard.type(' you');
  await until('and goes on there', async () => (await olu.editor.innerText()).trim() === 'Here it is: see you');
  await page.locator('main').getByRole('button', { name: 'Status: Open' }).waitFor();
  assert.ok(page.url().includes(id));
  stage.end();
});
