// How often customers had to explain again: of one, and of everybody, with the way to where it happened.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { inBothLights, reflows, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { until } from './rig/until.mjs';

test('everybody’s repeats, by reason, by week, one by one', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  const olu = await Agent.login(stage);
  const { page } = olu;
  await page.goto(`${stage.hub.url}/settings`);
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Repeats' }).click();
  await page.getByText('Nobody had to explain anything again.').waitFor();
  await page.getByText('No customer began a conversation.').waitFor();
  assert.deepEqual(await violations(page), []);

  const says = (text) => box.deliver(mail({ from: 'Ada Obi <ada@example.org>', subject: 'Kettle', text }));
  says('does not boil');
  const { id } = await stage.hub.conversation('does not boil');
  await stage.hub.call('SendReply', { conversationId: id, text: 'Descale it.' });
  says('it still does not boil');
  await olu.goto(id);
  await olu.saw('it still does not boil');
  await olu.reply('Let me look.');
  await box.caught('Let me look.');

  await page.goto(`${stage.hub.url}/settings/repeats`);
  const figure = (label) => page.getByRole('term').filter({ hasText: label }).locator('xpath=following-sibling::dd[1]');
  await until('one is counted', async () => {
    await page.reload();
    return (await figure('Explained again').textContent()) === '1';
  });
  assert.equal(await figure('New conversation').textContent(), '0');
  assert.equal(await figure('Another agent').textContent(), '1');
  await page.getByText('100 for every 100 conversations that customers began (1).').waitFor();
  const weeks = page.getByRole('table', { name: 'Repeats by week, the newest first' }).getByRole('row');
  assert.match(await weeks.nth(1).innerText(), /\b1\b/);
  await page.getByText(/^\(a\) new conversation: the customer begins a conversation within 7 days/).waitFor();
  const list = page.getByRole('list', { name: 'Latest repeats' });
  const item = list.getByRole('listitem');
  await item.getByText('was answered by another agent than before').waitFor();
  await item.getByText('Kettle').waitFor();
  assert.deepEqual(await inBothLights(page), []);

  const only = page.getByRole('group', { name: 'Show only' });
  await only.getByRole('button', { name: 'Another channel' }).press('Enter');
  await page.getByText('Nobody had to explain anything again.').waitFor();
  await only.getByRole('button', { name: 'Another agent' }).press('Enter');
  await page.setViewportSize({ width: 375, height: 760 });
  assert.deepEqual(await reflows(page), { scrolls: false, wide: [] });
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByLabel('Time').selectOption({ label: 'The last 13 weeks' });
  await until('more weeks are shown', async () => (await weeks.count()) > 10);

  // The way there: the timeline at that moment.
  says('thank you');
  await item.getByRole('link', { name: 'Ada Obi', exact: true }).press('Enter');
  await page.waitForURL(`**/c/${id}?at=*`);
  await olu.lines('Let me look.').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await olu.lines('thank you').waitFor();
  await page.getByText('Explained again once').click();
  await page.getByRole('link', { name: 'Everybody’s' }).click();
  await page.getByRole('heading', { level: 1, name: 'Repeats' }).waitFor();
  stage.end();
});
