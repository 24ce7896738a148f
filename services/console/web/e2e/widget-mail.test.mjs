// The chat goes on by mail: as the visitor asks for it, and when he has left.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

const ada = 'ada@example.org';
const plain = (sent) => sent.replaceAll(/=\r?\n/g, '').replaceAll('=3D', '=');

test('the chat by mail, the answer after he has left, and his answer to it', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [
    box.inbox(),
    { id: 'shop', channel: 'chat', name: 'Kettle Shop', settings: { continue_by: 'support', continue_after: '10s' } },
    { id: 'plain', channel: 'chat', name: 'Plain', settings: {} },
  ] } });
  const without = await Visitor.arrive(stage, { inbox: 'plain' });
  const button = (visitor) => visitor.frame.getByRole('button', { name: 'Send me this chat by e-mail' });
  assert.equal(await button(without).count(), 0, 'not offered without an inbox to send it');
  await without.page.close();

  const visitor = await Visitor.arrive(stage, { inbox: 'shop' });
  await visitor.say('My kettle leaks.');
  await visitor.lines('My kettle leaks.').getByText(/Delivered/).waitFor();
  await button(visitor).click();
  await visitor.frame.getByText('Where may we send this chat?').waitFor();
  await visitor.frame.getByLabel('E-mail address').fill(ada);
  await visitor.frame.getByRole('button', { name: 'Send me a code' }).click();
  const code = await until('the code', () => box.sent.map(plain).map((sent) => sent.match(/^\s{4}(\d{6})\s*$/m)?.[1]).find(Boolean));
  assert.ok(!box.sent.some((sent) => sent.includes('kettle leaks')), 'nothing of the chat goes to an address that is not proven');
  assert.deepEqual(await violations(visitor.frame), []);
  await visitor.frame.getByLabel('Code').fill(code);
  await visitor.frame.getByRole('button', { name: 'Confirm' }).click();
  await visitor.frame.getByText('This chat is on its way to a…@example.org.').waitFor();
  const transcript = plain(await box.caught('kettle leaks'));
  assert.match(transcript, /^To: .*ada@example\.org/m);
  assert.match(transcript, /^Auto-Submitted: auto-replied/m);

  // He leaves; the answer follows him.
  await visitor.page.close();
  const { customerId } = await stage.hub.conversation('kettle');
  const olu = await Agent.login(stage);
  await olu.open('My kettle leaks.');
  await olu.saw('My kettle leaks.');
  await olu.reply('Send it back to us.');
  const followed = plain(await until('the answer by mail', () => box.sent.find((sent) => sent.includes('Send it back to us.')), { timeout: 40_000 }));
  assert.doesNotMatch(followed, /kettle leaks/);
  const id = followed.match(/^Message-Id: <([^>]+)>/im)[1];
  await olu.page.getByText('The answer was sent by e-mail, too').first().waitFor();

  // What he answers by mail is in the same conversation.
  box.deliver(mail({ from: `Ada <${ada}>`, subject: 'Re: Your chat', headers: `In-Reply-To: <${id}>\nReferences: <${id}>\n`, text: 'I have sent it.' }));
  await olu.lines('I have sent it.').waitFor();
  const { conversations } = await stage.hub.call('ListConversations', {});
  assert.equal(conversations.length, 1);
  assert.equal((await stage.hub.timeline(customerId)).filter((entry) => entry.message?.text?.includes('Send it back')).length, 1, 'the copy is no second answer');
  assert.equal(box.sent.filter((sent) => sent.includes('Send it back to us.')).length, 1);
  stage.end();
});
