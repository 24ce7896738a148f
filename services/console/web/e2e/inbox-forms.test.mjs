// The form of an inbox asks for what the provider calls so, leads to what is wrong, and lets go of a secret.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { inBothLights, reflows, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { until } from './rig/until.mjs';

test('mail by webhook: nothing of a mailbox is asked for, and the address to enter there is shown', async (t) => {
  const stage = await Stage.open(t);
  const { page } = await Agent.login(stage, undefined, { path: '/settings/inboxes' });
  await page.getByRole('button', { name: 'Add an inbox' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /^Email/ }).click();
  const field = (label) => dialog.getByLabel(label, { exact: true });
  await field('IMAP server').waitFor();
  await field('Mail comes').selectOption('webhook');
  await field('IMAP server').waitFor({ state: 'detached' });
  await field('Name').fill('Post');
  await field('Address').fill('support@desk.test');
  await field('Provider of the webhook').selectOption({ label: 'SendGrid' });
  await field('Webhook secret').fill('too-short');
  await dialog.getByRole('button', { name: 'Test the connection' }).click();
  await dialog.getByRole('alert').filter({ hasText: '16 are the least' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-invalid') === 'true');
  assert.equal(await field('Webhook secret').evaluate((node) => node === document.activeElement), true, 'the field to mend has the focus');
  assert.deepEqual(await inBothLights(page), []);
  await field('Webhook secret').fill('a-word-of-16-chars');
  await dialog.getByRole('button', { name: 'Test the connection' }).click();
  await dialog.getByText('nothing can be tried before the address is entered there').waitFor();
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByText(`${stage.hub.url}/hooks/email/post/a-word-of-16-chars`, { exact: true }).waitFor();
  await dialog.getByText('Providers post to public https addresses only').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();

  // Nobody has posted yet: that is not called working.
  await page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Post', exact: true }) }).getByText('Ready').waitFor();

  // Whoever comes back sees the address, and that the secret belongs there; the secret itself nobody sees.
  await page.getByRole('button', { name: 'Connect and try Post' }).click();
  await dialog.getByText(`${stage.hub.url}/hooks/email/post/<Webhook secret>`, { exact: true }).waitFor();
  assert.ok(!(await page.content()).includes('a-word-of-16-chars'));
  await field('E-mail address').fill('ada');
  await dialog.getByRole('button', { name: 'Send the test' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'such as ada@example.org' }).waitFor();
  stage.end();
});

test('a provider’s own words; a stored secret is named, replaced and let go; a second click removes nothing', async (t) => {
  const stage = await Stage.open(t);
  const { page } = await Agent.login(stage, undefined, { path: '/settings/inboxes', viewport: { width: 390, height: 844 } });
  await page.getByRole('button', { name: 'Add an inbox' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /^SMS/ }).click();
  const field = (label) => dialog.getByLabel(label, { exact: true });
  await field('Provider').selectOption({ label: 'Vonage' });
  for (const name of ['API key', 'API secret', 'Signature secret']) await field(name).waitFor();
  await field('Provider').selectOption({ label: 'Telnyx' });
  for (const name of ['API key', 'Public key']) await field(name).waitFor();
  await dialog.getByRole('button', { name: 'Back' }).click();

  // Logged in with a password first, with a token later: one of the two must go.
  await dialog.getByRole('button', { name: /^Matrix/ }).click();
  await field('Name').fill('Rooms');
  await field('Homeserver').fill('http://127.0.0.1:9');
  await field('User').fill('shop');
  await field('Password').fill('a-password');
  await dialog.getByRole('button', { name: 'Test the connection' }).click();
  await dialog.getByText('It does not work yet.').waitFor();
  await dialog.getByRole('button', { name: 'Save anyway' }).click();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Change Rooms' }).click();
  assert.equal(await field('Password').getAttribute('placeholder'), 'Stored, unchanged');
  assert.equal(await field('Access token').getAttribute('placeholder'), '');
  await field('User').fill('');
  await field('Access token').fill('a-token');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'give one of the two' }).waitFor();
  await dialog.getByRole('checkbox', { name: 'Remove the stored one: Password' }).check();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(await reflows(page), { scrolls: false, wide: [] });
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Change Rooms' }).click();
  assert.equal(await field('Access token').getAttribute('placeholder'), 'Stored, unchanged');
  assert.equal(await field('Password').getAttribute('placeholder'), '');

  await dialog.getByRole('button', { name: 'Remove…' }).dblclick();
  await dialog.getByRole('alert').filter({ hasText: 'What was said in it stays' }).waitFor();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await dialog.getByRole('button', { name: 'Remove…' }).click();
  assert.equal(await dialog.getByRole('button', { name: 'Keep it' }).evaluate((node) => node === document.activeElement), true);
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Yes, remove it' }).click();
  await page.getByText('Inbox removed.').waitFor();
  await page.getByRole('heading', { name: 'Rooms' }).waitFor({ state: 'detached' });
  stage.end();
});

test('a long error of a provider stays within a narrow screen', async (t) => {
  const address = `http://127.0.0.1:9/${'a-long-path-without-a-blank-'.repeat(8)}`;
  const oauth = { auth: 'oauth2', oauth_provider: 'own', oauth_token_url: address, oauth_client_id: 'x', oauth_client_secret: 'abcdefgh' };
  const stage = await Stage.open(t, { config: { outgoing: { allow: ['127.0.0.0/8'] }, inboxes: [{ id: 'far', channel: 'email', name: 'Far away', settings: { address: 'a@b.test', imap_host: '127.0.0.1', imap_tls: 'none', ...oauth } }] } });
  const { page } = await Agent.login(stage, undefined, { path: '/settings/inboxes', viewport: { width: 390, height: 844 } });
  await page.getByText('a-long-path').first().waitFor();
  assert.deepEqual(await reflows(page), { scrolls: false, wide: [] });
  stage.end();
});

test('by keyboard alone: the focus stays in the dialog from step to step, and goes back to where it came from', async (t) => {
  const stage = await Stage.open(t);
  const { page } = await Agent.login(stage, undefined, { path: '/settings/inboxes' });
  const focused = () => page.evaluate(() => document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent);
  const inside = () => page.evaluate(() => Boolean(document.activeElement?.closest('[role=dialog]')));
  await page.getByRole('button', { name: 'Add an inbox' }).press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /^Telegram/ }).press('Enter');
  await dialog.getByRole('heading', { name: 'Add Telegram' }).waitFor();
  await until('the first field has the focus', async () => (await focused()) === 'Name');
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await inside(), `after ${i + 1} tabs: ${await focused()}`);
  }
  await dialog.getByLabel('Name', { exact: true }).fill('Bot');
  await dialog.getByLabel('Bot token').fill('123456789:short');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').filter({ hasText: 'is not a bot' }).waitFor();
  await until('the field to mend has the focus', async () => (await focused()) === 'Bot token');
  // A click beside the dialog, on the way back from where the token is, loses nothing.
  await page.mouse.click(5, 5);
  assert.equal(await dialog.getByLabel('Name', { exact: true }).inputValue(), 'Bot');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await until('the focus is back', async () => (await focused()) === 'Add an inbox');
  stage.end();
});
