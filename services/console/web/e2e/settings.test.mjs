// An owner sets up a chat of his own, a token and colleagues; an agent may not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { Visitor } from './rig/visitor.mjs';

test('a new chat inbox works at once, its snippet can be copied', async (t) => {
  const stage = await Stage.open(t);
  const olu = await Agent.login(stage, undefined, { path: '/settings/inboxes', permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = olu;
  await page.getByRole('heading', { name: 'Demo shop' }).waitFor();
  await page.getByRole('button', { name: 'Add an inbox' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: /^Chat/ }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('Tea room');
  await dialog.getByLabel('Colour').fill('green');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByRole('alert').first().waitFor();
  await dialog.getByLabel('Colour').fill('#0b6b3a');
  await dialog.getByLabel('Greeting').fill('Welcome to the tea room.');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('Saved. The inbox works from now on.').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.waitFor({ state: 'detached' });

  const card = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Tea room' }) });
  await card.getByText('Put it on your site').click();
  await card.getByRole('button', { name: 'Copy the snippet' }).click();
  await card.getByRole('button', { name: 'Copied' }).waitFor();
  const snippet = await page.evaluate(() => navigator.clipboard.readText());
  const inbox = snippet.match(/^<script async src="http:\/\/127\.0\.0\.1:\d+\/chat\/([^/]+)\/loader\.js"><\/script>$/)?.[1];
  assert.ok(inbox, snippet);

  const visitor = await Visitor.arrive(stage, { inbox });
  await visitor.frame.getByText('Welcome to the tea room.').waitFor();
  await visitor.say('oolong, please');
  await page.goto(stage.hub.url + '/inbox');
  await olu.open('oolong, please');
  await page.getByText('Tea room').first().waitFor();
  stage.end();
});

test('a token works until it is revoked; an agent changes nothing', async (t) => {
  const stage = await Stage.open(t);
  const olu = await Agent.login(stage, undefined, { path: '/settings/tokens' });
  const { page } = olu;
  await page.getByRole('button', { name: 'New token' }).click();
  await page.getByLabel('Name').fill('billing');
  await page.getByRole('button', { name: 'Make the token' }).click();
  const secret = await page.getByRole('dialog', { name: 'Your new token' }).locator('code').innerText();
  await page.getByRole('button', { name: 'I have it' }).click();
  const list = (bearer) => fetch(`${stage.hub.url}/weftline.inbox.v1.InboxService/ListConversations`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }, body: '{}' });
  assert.equal((await list(secret)).status, 200);
  await page.reload();
  assert.ok(!(await page.content()).includes(secret), 'a token is shown once');
  await page.getByRole('button', { name: 'Revoke billing' }).click();
  await page.getByRole('button', { name: 'Yes, revoke' }).click();
  await page.getByText('Token revoked.').waitFor();
  assert.equal((await list(secret)).status, 401);

  await page.goto(stage.hub.url + '/settings/audit');
  await page.getByRole('listitem').filter({ hasText: 'revoked an API token' }).waitFor();

  // The last owner stays one, and is told so where he chose otherwise.
  await page.goto(stage.hub.url + '/settings/agents');
  await page.getByRole('button', { name: `Change ${olu.who.name}` }).click();
  await page.getByLabel('Role').selectOption('Agent');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').filter({ hasText: 'the last owner' }).waitFor();

  const lee = await olu.colleague();
  for (const [path, offered] of [['inboxes', 'Add an inbox'], ['agents', 'Add an agent'], ['tokens', 'New token']]) {
    await lee.page.goto(`${stage.hub.url}/settings/${path}`);
    await lee.page.locator('main').getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await lee.page.getByRole('button', { name: offered }).count(), 0);
  }
  await lee.page.getByText('Only owners can see the API tokens.').waitFor();
  assert.equal(await lee.page.getByRole('link', { name: 'API tokens' }).count(), 0);
  await assert.rejects(lee.rpc('CreateToken', { name: 'sneaky', scopes: ['inbox'] }), /permission_denied/);
  await assert.rejects(lee.rpc('ListAudit', {}), /permission_denied/);

  // A disabled agent is out at once.
  const { agents } = await olu.rpc('ListAgents', {});
  const agent = agents.find((one) => one.email === lee.who.email);
  await olu.rpc('SaveAgent', { agent: { ...agent, disabled: true } });
  await lee.page.goto(stage.hub.url + '/inbox');
  await lee.page.waitForURL('**/login*');
  stage.end();
});
