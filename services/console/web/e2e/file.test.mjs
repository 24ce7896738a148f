// Files both ways, by chat and by mail.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { Visitor } from './rig/visitor.mjs';

/** A red pixel. */
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==', 'base64');

test('files go from the widget to the agent and back', async (t) => {
  const stage = await Stage.open(t);
  const visitor = await Visitor.arrive(stage);
  await visitor.frame.locator('input[type=file]').setInputFiles({ name: 'broken kettle.png', mimeType: 'image/png', buffer: png });
  await visitor.frame.locator('button.file').filter({ hasText: 'broken kettle.png' }).waitFor();
  await visitor.say('look at this');
  const { id } = await stage.hub.conversation('look at this');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  const link = olu.timeline.getByRole('link', { name: 'broken kettle.png' });
  await link.waitFor();
  const answer = await olu.context.request.get(stage.hub.url + (await link.getAttribute('href')));
  assert.deepEqual(await answer.body(), png);

  await olu.saw('look at this');
  await olu.page.locator('section[aria-label="Write a reply"] input[type=file]').setInputFiles({ name: 'return label.txt', mimeType: 'text/plain', buffer: Buffer.from('label 4711') });
  await olu.page.getByRole('list', { name: 'Files to send' }).getByText('return label.txt').waitFor();
  await olu.reply('Here is the label.');
  const file = visitor.frame.locator('button.file').filter({ hasText: 'return label.txt' });
  await file.waitFor();
  const download = visitor.page.waitForEvent('download');
  await file.click();
  assert.equal(await readFile(await (await download).path(), 'utf8'), 'label 4711');

  // What a browser might run is refused.
  await visitor.frame.locator('input[type=file]').setInputFiles({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<html><script>1</script></html>') });
  await visitor.frame.getByText('This file could not be sent.').waitFor();
  stage.end();
});

test('files go by mail both ways, a draft’s file can be taken off again', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ subject: 'Invoice', text: 'attached', files: [{ name: 'invoice.csv', type: 'text/csv', data: 'item,amount\n' }] }));
  const { id } = await stage.hub.conversation('Invoice');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  const down = olu.page.waitForEvent('download');
  await olu.timeline.getByRole('link', { name: 'invoice.csv' }).click();
  assert.equal(await readFile(await (await down).path(), 'utf8'), 'item,amount\n');

  const input = olu.page.locator('section[aria-label="Write a reply"] input[type=file]');
  await input.setInputFiles([{ name: 'wrong.txt', mimeType: 'text/plain', buffer: Buffer.from('wrong') }, { name: 'right.txt', mimeType: 'text/plain', buffer: Buffer.from('quite right') }]);
  const list = olu.page.getByRole('list', { name: 'Files to send' });
  await list.getByText('right.txt').waitFor();
  await list.getByRole('button', { name: 'Remove wrong.txt' }).click();
  await olu.saw('attached');
  await olu.reply('Corrected.');
  const sent = await box.caught('Corrected.');
  assert.match(sent, /right\.txt/);
  assert.doesNotMatch(sent, /wrong\.txt/);
  assert.match(sent, new RegExp(Buffer.from('quite right').toString('base64')));
  assert.match(sent, /^In-Reply-To: </m);
  await olu.lines('Corrected.').getByText('Sent').waitFor();
  stage.end();
});
