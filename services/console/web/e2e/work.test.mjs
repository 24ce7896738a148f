// A morning's work: sort, assign, tag, put aside, find again.
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { hold } from './rig/hold.mjs';
import { until } from './rig/until.mjs';

test('status, assignee, priority, tags and snooze reach everybody', async (t) => {
  const stage = await Stage.open(t);
  const { id } = await stage.hub.conversation('Rechnung 7731');
  const now = async () => (await stage.hub.call('GetConversation', { conversationId: id })).conversation;
  const olu = await Agent.login(stage);
  const lee = await olu.colleague();
  await olu.goto(id);
  await lee.goto(id);
  const button = (agent, name) => agent.page.getByRole('button', { name });

  await button(olu, 'Unassigned').last().click();
  await olu.page.getByRole('menuitem', { name: 'Lee Park' }).click();
  await button(lee, 'Assigned to You').waitFor();

  await button(olu, 'Priority: Normal').click();
  await olu.page.getByRole('menuitem', { name: 'Urgent' }).click();
  await button(lee, 'Priority: Urgent').waitFor();

  await olu.page.getByRole('button', { name: 'Tag', exact: true }).click();
  await olu.page.getByLabel('New tag').fill('vat');
  await olu.page.keyboard.press('Enter');
  await button(lee, 'Remove the tag vat').waitFor();

  await olu.page.locator('main').getByRole('button', { name: 'Status: Open' }).click();
  await olu.page.getByRole('menuitem', { name: 'Snooze…' }).click();
  await olu.page.getByLabel('Until').fill('3 days');
  await olu.page.keyboard.press('Enter');
  await lee.page.locator('main').getByRole('button', { name: /^Status: Snoozed until/ }).waitFor();
  await until('the hub has all of it', async () => {
    const row = await now();
    return row.status === 'STATUS_SNOOZED' && row.priority === 'PRIORITY_URGENT' && row.tags.includes('vat');
  });
  // It left the queue of open ones, and comes back when undone.
  await olu.row('Rechnung 7731').waitFor({ state: 'detached' });
  await olu.page.getByRole('button', { name: 'Undo' }).click();
  await olu.row('Rechnung 7731').waitFor();
  await lee.page.locator('main').getByRole('button', { name: 'Status: Open' }).waitFor();

  await button(lee, 'Remove the tag vat').click();
  await button(olu, 'Remove the tag vat').waitFor({ state: 'detached' });

  // The colleague's own queue has it, the owner's has not.
  await lee.page.getByRole('link', { name: /^Mine/ }).or(lee.page.getByRole('button', { name: /^Mine/ })).first().click();
  await lee.row('Rechnung 7731').waitFor();
  await olu.page.getByRole('link', { name: /^Mine/ }).or(olu.page.getByRole('button', { name: /^Mine/ })).first().click();
  await olu.row('Rechnung 7731').waitFor({ state: 'detached' });
  stage.end();
});

test('search finds words of any channel, the palette goes there', async (t) => {
  const stage = await Stage.open(t);
  const chat = await stage.hub.conversation('rather not explain');
  const olu = await Agent.login(stage);
  await olu.page.goto(stage.hub.url + '/search');
  await olu.page.getByRole('searchbox').fill('transit order');
  await olu.page.getByText('Ada Obi').first().waitFor();
  await olu.page.getByRole('searchbox').fill('explain');
  const hit = olu.page.getByRole('link').filter({ hasText: 'rather not' });
  await hit.waitFor();
  await olu.page.waitForURL(/q=explain/);
  await hit.click();
  await olu.page.waitForURL(`**/c/${chat.id}*`);
  // One customer, one timeline: the mail and the chat are both in it.
  await olu.lines('rather not explain').waitFor();
  await olu.timeline.getByRole('article', { name: /^Email from Ada Obi/ }).waitFor();

  await olu.page.keyboard.press('Control+k');
  await olu.page.getByPlaceholder('What do you want to do or find?').fill('invoice');
  await olu.page.getByRole('option').filter({ hasText: 'Lina Haddad' }).first().waitFor();
  await olu.page.keyboard.press('Enter');
  await olu.page.getByRole('heading', { name: /Lina Haddad/ }).first().waitFor();

  await olu.page.goto(stage.hub.url + '/search?q=zebracorn');
  await olu.page.getByText(/Nothing|No /).first().waitFor();
  stage.end();
});

test('closed, and opened again before the hub has answered: what was meant last holds', async (t) => {
  const stage = await Stage.open(t);
  const { id, customerId } = await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  await olu.editor.waitFor();
  const status = (name) => olu.page.locator('main').getByRole('button', { name: `Status: ${name}` }).waitFor();
  const held = await hold(olu.page, '**/*InboxService/SetStatus');
  await olu.page.keyboard.press('e');
  await held.seen;
  await status('Closed');
  await olu.page.keyboard.press('e');
  await status('Open');
  // Whatever does not wait for the first answer is on its way before it.
  await olu.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  held.release();
  await until('it was closed, and is open', async () => {
    const row = (await stage.hub.call('GetConversation', { conversationId: id })).conversation;
    return /"verb":"closed"/.test(JSON.stringify(await stage.hub.timeline(customerId))) && row.status === 'STATUS_OPEN';
  });
  await status('Open');
  stage.end();
});
