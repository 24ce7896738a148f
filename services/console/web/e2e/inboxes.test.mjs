// An owner adds a mailbox in the console, tries it, and pauses it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { until } from './rig/until.mjs';

test('a mailbox is added in steps, tried, paused and resumed', async (t) => {
  const stage = await Stage.open(t);
  const box = await Mailbox.start(t);
  box.deliver(mail({ subject: 'First', text: 'the first question' }));
  const olu = await Agent.login(stage, undefined, { path: '/settings/inboxes' });
  const { page } = olu;
  const clean = async (where) => assert.deepEqual(await violations(page), [], where);
  await page.getByRole('heading', { name: 'Demo shop' }).waitFor();

  await page.getByRole('button', { name: 'Add an inbox' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /^Telegram/ }).waitFor();
  await clean('the channels');
  await dialog.getByRole('button', { name: /^Email/ }).click();
  const field = (label) => dialog.getByLabel(label, { exact: true });
  await field('Name').fill('Post room');
  await field('Address').fill('support@desk.test');
  for (const [side, port] of [['IMAP', box.ports.imap], ['SMTP', box.ports.smtp]]) {
    await field(`${side} server`).fill('127.0.0.1');
    await field(`${side} encryption`).selectOption('none');
    await field(`${side} port`).fill(String(port));
    await field(`${side} password`).fill(side === 'IMAP' ? 'a-wrong-word' : 'mailbox');
  }
  assert.equal(await field('IMAP password').getAttribute('type'), 'password');
  await clean('the settings');

  // What the hub finds wrong stands beside its field.
  await field('IMAP port').fill('many');
  await dialog.getByRole('button', { name: 'Test the connection' }).click();
  const port = await field('IMAP port').getAttribute('aria-describedby');
  await dialog.getByRole('alert').filter({ hasText: 'is not a port' }).waitFor();
  assert.ok((await field('IMAP port').getAttribute('aria-describedby')).split(' ').some((id) => id.endsWith('-error')), port);
  await field('IMAP port').fill(String(box.ports.imap));

  // A wrong password: which step failed, in the server's words, without the word itself. Nothing was saved.
  await dialog.getByRole('button', { name: 'Test the connection' }).click();
  await dialog.getByText('Log in to the IMAP server: failed').waitFor();
  await dialog.getByText('Connect to the IMAP server: ok').waitFor();
  await dialog.getByText('Log in to the SMTP server: ok').waitFor();
  assert.ok(!(await dialog.innerText()).includes('a-wrong-word'));
  await clean('a failed test');
  assert.ok(!(await olu.rpc('ListInboxes', {})).inboxes.some((one) => one.name === 'Post room'));
  await dialog.getByRole('button', { name: 'Back to the settings' }).click();
  await field('IMAP password').fill('mailbox');
  await dialog.getByRole('button', { name: 'Test the connection' }).click();
  await dialog.getByText('It works.').waitFor();
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();

  // A test message goes through the real adapter.
  await field('E-mail address').fill('olu@desk.test');
  await dialog.getByRole('button', { name: 'Send the test' }).click();
  await dialog.getByText('The provider took it.').waitFor();
  assert.match(await box.caught('Test of the inbox Post room'), /^To: <olu@desk\.test>/m);
  await clean('the end');
  await dialog.getByRole('button', { name: 'Done' }).click();

  const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Post room' }) });
  await card.getByText('Working').waitFor();
  await stage.hub.conversation('First');

  // Paused: an answer waits, and is said to; new mail stays in the mailbox.
  await card.getByRole('button', { name: 'Pause Post room' }).click();
  await card.getByText(/^Paused since/).waitFor();
  box.deliver(mail({ from: 'Bo <bo@example.test>', subject: 'Second', text: 'the second question' }));
  const first = await stage.hub.conversation('First');
  await stage.hub.call('SendReply', { conversationId: first.id, text: 'an answer that waits', idempotencyKey: 'waits' });
  await card.getByText('1 message waits to be sent').waitFor();
  await until('the answer says that it waits', async () => (await stage.hub.timeline(first.customerId)).at(-1).message.deliveryDetail === 'the inbox is paused');
  await clean('a paused inbox');
  assert.ok(!box.sent.some((one) => one.includes('an answer that waits')));
  const { conversations } = await stage.hub.call('ListConversations', { pageSize: 100 });
  assert.ok(!conversations.some((one) => one.subject === 'Second'));

  await card.getByRole('button', { name: 'Resume Post room' }).click();
  await card.getByText('Working').waitFor();
  await box.caught('an answer that waits');
  await stage.hub.conversation('Second');
  assert.equal(box.sent.filter((one) => one.includes('an answer that waits')).length, 1);

  await page.goto(stage.hub.url + '/settings/audit');
  await page.getByRole('listitem').filter({ hasText: 'sent a test message' }).waitFor();
  await page.getByRole('listitem').filter({ hasText: 'paused an inbox' }).waitFor();
  stage.end();
});
