// An agent writes his own signature, by keyboard, and it stands below what he sends by email.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { reflows, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';

test('an agent sets his signature, and his answer ends with it', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ subject: 'Which tea', text: 'which tea is it' }));
  const olu = await Agent.login(stage, undefined, { path: '/settings/mine' });
  const { page } = olu;
  const clean = async (where) => assert.deepEqual(await violations(page), [], where);
  const form = page.getByRole('form', { name: 'Signature' });
  const field = form.getByLabel('Below your emails');
  const preview = form.getByRole('figure');
  await preview.getByText('No signature of yours.').waitFor();
  await clean('none');

  // What is too much is said at the field, and not sent.
  await field.focus();
  await page.keyboard.insertText('line\n'.repeat(21) + 'end');
  await form.getByRole('alert').filter({ hasText: '22 lines, allowed are 20' }).waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  assert.match(await field.getAttribute('aria-describedby'), /-error$/);
  await clean('too many lines');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal((await olu.rpc('GetSignature', {})).signature ?? '', '');

  // So is what the hub refuses.
  await page.route('**/SaveSignature', (route) => route.fulfill({ status: 400, contentType: 'application/json', body: JSON.stringify({ code: 'invalid_argument', message: 'signature: not today' }) }));
  await field.fill('  Olu from the tea room\nTel. 123  ');
  await preview.getByText('-- Olu from the tea room').waitFor();
  await field.focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await form.getByRole('alert').filter({ hasText: 'not today' }).waitFor();
  assert.equal(await field.inputValue(), '  Olu from the tea room\nTel. 123  ');
  await clean('refused');
  await page.unroute('**/SaveSignature');

  await page.keyboard.press('Enter');
  await page.getByText('Your signature is saved.').waitFor();
  assert.equal(await field.inputValue(), 'Olu from the tea room\nTel. 123');
  assert.equal((await olu.rpc('GetSignature', {})).signature, 'Olu from the tea room\nTel. 123');
  await clean('saved');
  await page.setViewportSize({ width: 320, height: 700 });
  assert.deepEqual(await reflows(page), { scrolls: false, wide: [] });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.reload();
  await page.waitForFunction(() => document.querySelector('form textarea')?.value === 'Olu from the tea room\nTel. 123');

  const { id } = await stage.hub.conversation('Which tea');
  await olu.goto(id);
  await olu.saw('which tea is it');
  await olu.reply('It is oolong.');
  const sent = (await box.caught('It is oolong.')).replaceAll('\r\n', '\n').replaceAll('=20\n', ' \n');
  assert.match(sent, /It is oolong\.\n\n-- \nOlu from the tea room\nTel\. 123/);
  stage.end();
});
