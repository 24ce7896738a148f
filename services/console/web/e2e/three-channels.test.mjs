// One conversation over three channels: begun in the chat, gone on by mail, then by SMS.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { Texts } from './rig/texts.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

const ada = 'ada@example.org';
const phone = '+14155550123';
const gone = { timeout: 40_000 }; // until a visitor counts as gone
const plain = (sent) => sent.replaceAll(/=\r?\n/g, '').replaceAll('=3D', '=');

async function shop(t, settings = {}) {
  const [box, texts] = await Promise.all([Mailbox.start(t), Texts.start(t)]);
  const stage = await Stage.open(t, { config: { outgoing: { allow: ['127.0.0.0/8'] }, inboxes: [
    box.inbox(), texts.inbox(),
    { id: 'shop', channel: 'chat', name: 'Kettle Shop', settings: { continue_by: 'support', continue_by_sms: 'texts', continue_after: '10s', ...settings } },
    { id: 'plain', channel: 'chat', name: 'Plain', settings: {} },
  ] } });
  return { box, texts, stage };
}

const bySMS = (visitor) => visitor.frame.getByRole('button', { name: 'Answer me by SMS' });
const card = (visitor) => visitor.frame.locator('.card');

async function leavesNumber(visitor, texts, number) {
  await bySMS(visitor).click();
  await visitor.frame.getByText('Which mobile number may we answer to').waitFor();
  await visitor.frame.getByLabel('Mobile number').fill(number);
  await visitor.frame.getByRole('button', { name: 'Send me a code' }).click();
  const { Body } = await texts.caught('your code is');
  await visitor.frame.getByLabel('Code').fill(Body.match(/\b\d{6}\b/)[0]);
  await visitor.frame.getByRole('button', { name: 'Confirm' }).click();
  await visitor.frame.getByText('When you are gone, answers come by SMS to …123.').waitFor();
}

async function leavesAddress(visitor, box) {
  await visitor.frame.getByRole('button', { name: 'Send me this chat by e-mail' }).click();
  await visitor.frame.getByLabel('E-mail address').fill(ada);
  await visitor.frame.getByRole('button', { name: 'Send me a code' }).click();
  await visitor.frame.getByLabel('Code').fill(await until('the code', () => box.sent.map(plain).map((sent) => sent.match(/^\s{4}(\d{6})\s*$/m)?.[1]).find(Boolean)));
  await visitor.frame.getByRole('button', { name: 'Confirm' }).click();
  await visitor.frame.getByText('This chat is on its way to a…@example.org.').waitFor();
}

test('begun in the chat, gone on by mail and by SMS: one timeline, one open conversation', async (t) => {
  const { box, texts, stage } = await shop(t);
  const visitor = await Visitor.arrive(stage, { inbox: 'shop' });
  await visitor.say('My kettle leaks.');
  await visitor.lines('My kettle leaks.').getByText(/Delivered/).waitFor();
  await leavesNumber(visitor, texts, '(415) 555-0123');
  await leavesAddress(visitor, box);
  await visitor.page.close();

  // The agent answers in the chat; it follows the customer to where she was last, and nowhere else.
  const { id, customerId } = await stage.hub.conversation('Left phone number');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  await olu.saw('My kettle leaks.');
  await olu.reply('Send it back to us.');
  const followed = plain(await until('the answer by mail', () => box.sent.find((sent) => sent.includes('Send it back to us.')), gone));
  await olu.page.getByText('The answer was sent by e-mail, too').first().waitFor();

  // By mail, then by SMS.
  const sent = followed.match(/^Message-Id: <([^>]+)>/im)[1];
  box.deliver(mail({ from: `Ada <${ada}>`, subject: 'Re: Your chat', headers: `In-Reply-To: <${sent}>\nReferences: <${sent}>\n`, text: 'The label does not print.' }));
  await olu.lines('The label does not print.').waitFor();
  await texts.says(stage.hub, phone, 'It printed now, and is on its way.');
  await olu.lines('It printed now, and is on its way.').waitFor();
  for (const [text, channel] of [['My kettle leaks.', 'Chat'], ['The label does not print.', 'Email'], ['It printed now', 'SMS']]) await olu.lines(text).getByText(channel, { exact: true }).first().waitFor();

  // One row in the list, and it is open.
  assert.equal(await olu.page.getByRole('option').count(), 1);
  const { conversations } = await stage.hub.call('ListConversations', {});
  assert.deepEqual(conversations.map((one) => [one.id, one.status]), [[id, 'STATUS_OPEN']]);
  const entries = await stage.hub.timeline(customerId);
  assert.deepEqual([...new Set(entries.filter((one) => one.message).map((one) => one.channel))].sort(), ['chat', 'email', 'sms']);
  assert.deepEqual([...new Set(entries.filter((one) => one.message).map((one) => one.conversationId))], [id]);

  // The answer goes where she wrote last.
  await olu.saw('It printed now, and is on its way.');
  await olu.page.getByText(phone).last().waitFor();
  await olu.reply('Thank you, Ada.');
  const answer = await texts.caught('Thank you, Ada.');
  assert.deepEqual([answer.To, answer.Body], [phone, 'Thank you, Ada.']);
  await olu.lines('Thank you, Ada.').getByText(/Sent/).waitFor();

  // Each address was asked for once and written to once, and nothing was said twice.
  assert.deepEqual(texts.sent.map(({ To }) => To), [phone, phone]);
  assert.equal(box.sent.filter((one) => /^\s{4}\d{6}\s*$/m.test(plain(one))).length, 1);
  assert.equal(box.sent.filter((one) => one.includes('Thank you, Ada.')).length, 0);
  assert.equal(await stage.hub.count(customerId, 'Send it back to us.'), 1);

  // Back in the chat she is asked nothing again, and sees what was said in it.
  const back = await Visitor.arrive(stage, { inbox: 'shop', context: visitor.context });
  await back.lines('Send it back to us.').waitFor();
  assert.equal(await card(back).isVisible(), false);
  const seen = await back.everything();
  for (const elsewhere of ['does not print', 'It printed now', 'Thank you, Ada']) assert.ok(!seen.includes(elsewhere), elsewhere);
  await bySMS(back).click();
  await back.frame.getByText('When you are gone, answers come by SMS to …123. Another number?').waitFor();
  stage.end();
});

test('an answer by SMS, and a number that cannot be written to', async (t) => {
  const { texts, stage } = await shop(t, { continue_by: '' });
  const without = await Visitor.arrive(stage, { inbox: 'plain' });
  assert.equal(await bySMS(without).count(), 0, 'not offered without an inbox to send it');
  await without.page.close();

  const visitor = await Visitor.arrive(stage, { inbox: 'shop' });
  await visitor.say('My kettle leaks.');
  await visitor.lines('My kettle leaks.').getByText(/Delivered/).waitFor();
  await bySMS(visitor).click();
  const field = visitor.frame.getByLabel('Mobile number');
  for (const [i, wrong] of ['555', '+1 900 234 5678'].entries()) {
    await field.fill(wrong);
    await visitor.frame.getByRole('button', { name: 'Send me a code' }).click();
    await until('the hub refused it', () => visitor.received.filter((one) => one.includes('"field":"phone"')).length > i);
    await visitor.frame.getByText('That is no mobile number we can write to. With its country’s code it has at most 15 digits, such as +1 201-555-0123.').waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.equal(await field.inputValue(), wrong, 'what was typed can be put right');
  }
  assert.deepEqual(await violations(visitor.frame), []);
  assert.equal(texts.sent.length, 0);
  await leavesNumber(visitor, texts, phone);
  assert.deepEqual(await violations(visitor.frame), []);
  assert.ok(!texts.sent.some(({ Body }) => Body.includes('kettle')), 'nothing of the chat goes to a number that is not proven');
  const { id, customerId } = await stage.hub.conversation('Left phone number');
  await visitor.page.close();

  const olu = await Agent.login(stage);
  await olu.goto(id);
  await olu.saw('Left phone number');
  await olu.reply('Send it back to us.');
  const { To, Body } = await texts.caught('Send it back to us.', gone);
  assert.deepEqual([To, Body], [phone, 'Kettle Shop: Send it back to us.']);
  await olu.page.getByText('The answer was sent by SMS, too').first().waitFor();
  await texts.says(stage.hub, phone, 'I have sent it.');
  await olu.lines('I have sent it.').getByText('SMS', { exact: true }).first().waitFor();
  assert.equal((await stage.hub.call('ListConversations', {})).conversations.length, 1);
  assert.equal(await stage.hub.count(customerId, 'Send it back to us.'), 1, 'the copy is no second answer');
  stage.end();
});
