// Who is who: a suggestion, a merge, its undoing, the past, an export, an erasure.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

const chatInbox = { id: 'shop', channel: 'chat', name: 'Shop chat', settings: {} };

/** Calls IdentityService as an integrator; the error's code when it is refused. */
async function ask(hub, method, body = {}) {
  const answer = await fetch(`${hub.url}/weftline.identity.v1.IdentityService/${method}`, {
    method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${await hub.token()}` }, body: JSON.stringify(body),
  });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${method}: ${json.code}: ${json.message}`);
  return json;
}

/** Ada wrote by mail. Somebody in the chat typed her address. */
async function twoAdas(t) {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox(), chatInbox] } });
  box.deliver(mail({ from: 'Ada Obi <ada@example.org>', subject: 'Kettle', text: 'My kettle does not boil.' }));
  const mailed = await stage.hub.conversation('Kettle');
  const visitor = await Visitor.arrive(stage, { inbox: 'shop' });
  await visitor.say('the kettle again');
  const chatted = await stage.hub.conversation('the kettle again');
  await visitor.frame.getByLabel('E-mail address').fill('ada@example.org');
  await visitor.frame.getByRole('button', { name: 'Leave address' }).click();
  await until('it is suggested that they are one person', async () => (await ask(stage.hub, 'ListSuggestions', { customerId: chatted.customerId })).suggestions?.length);
  return { box, stage, visitor, mailed, chatted };
}

const pane = (agent) => agent.page.getByRole('complementary', { name: 'Customer' });

test('a suggestion is reviewed, merged, answered, and taken apart again', async (t) => {
  const { stage, box, visitor, mailed, chatted } = await twoAdas(t);
  const olu = await Agent.login(stage);
  await olu.goto(mailed.id);
  await olu.saw('does not boil');
  const { page } = olu;
  const card = pane(olu).getByRole('list', { name: 'May be the same person' });
  await card.getByText(/address/).first().waitFor();
  await card.getByRole('button', { name: 'Review' }).click();
  const dialog = page.getByRole('dialog', { name: 'Merge into one person?' });
  for (const side of ['A', 'B', 'Result']) await dialog.getByRole('region', { name: side, exact: true }).waitFor();
  assert.equal(await dialog.getByRole('region', { name: 'Result', exact: true }).getByText('ada@example.org', { exact: true }).count(), 1);
  await dialog.getByRole('list', { name: 'Warnings' }).getByRole('listitem').first().waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByLabel('Why (optional)').fill('She said so.');
  await dialog.getByRole('button', { name: 'Merge', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });

  // One timeline, and everybody is in it; who is not the one on screen is marked.
  await olu.lines('the kettle again').getByText('Chat').first().waitFor();
  await olu.lines('does not boil').waitFor();
  await pane(olu).getByText('One person, 2 customers').waitFor();
  assert.deepEqual(await violations(page), []);

  // Either one's address leads to both.
  await page.goto(`${stage.hub.url}/customers/${chatted.customerId}`);
  await page.waitForURL('**/c/*');
  await olu.lines('does not boil').waitFor();

  // A reply still goes where the message came from.
  await olu.goto(mailed.id);
  await olu.saw('does not boil');
  await page.getByRole('region', { name: 'Write a reply' }).getByText('ada@example.org').waitFor();
  await olu.reply('Please descale it.');
  await box.caught('Please descale it.');
  assert.ok(!(await visitor.everything()).includes('descale'), 'the chat saw a mail’s answer');
  await olu.lines('Please descale it.').waitFor();

  // What comes in by chat appears here without a reload.
  await visitor.say('it hums');
  await olu.lines('it hums').waitFor();

  await pane(olu).getByRole('button', { name: 'Take apart…' }).click();
  const parting = page.getByRole('dialog', { name: 'Take apart?' });
  await parting.getByRole('region', { name: 'One side' }).waitFor();
  assert.deepEqual(await violations(page), []);
  await parting.getByRole('button', { name: 'Take apart', exact: true }).click();
  await parting.waitFor({ state: 'detached' });
  await olu.lines('it hums').waitFor({ state: 'detached' });
  await olu.lines('Please descale it.').waitFor();
  await pane(olu).getByText('Taken apart before (1)').waitFor();
  await olu.goto(chatted.id);
  await olu.lines('it hums').waitFor();
  assert.equal(await olu.lines('does not boil').count(), 0);
  assert.equal(await olu.lines('Please descale it.').count(), 0);
  stage.end();
});

test('“not the same” stays; merge with somebody found by his address', async (t) => {
  const { stage, mailed, chatted } = await twoAdas(t);
  const olu = await Agent.login(stage);
  await olu.goto(chatted.id);
  const card = pane(olu).getByRole('list', { name: 'May be the same person' });
  await card.getByRole('button', { name: 'Not the same' }).click();
  await card.waitFor({ state: 'detached' });
  assert.equal((await ask(stage.hub, 'ListSuggestions', {})).suggestions?.length ?? 0, 0);

  // He is sure after all: from the keyboard, by address.
  await olu.timeline.focus();
  await olu.page.keyboard.press('m');
  const find = olu.page.getByRole('dialog', { name: /^Merge .* with…$/ });
  await find.getByLabel('Who is it?').fill('ada@example.org');
  await find.getByRole('list', { name: 'Customers found' }).getByRole('button').first().click();
  const dialog = olu.page.getByRole('dialog', { name: 'Merge into one person?' });
  await dialog.getByText(/said that they are not one person/).waitFor();

  // Meanwhile something changes: it is asked about again, and says why.
  const other = await Agent.login(stage);
  await other.goto(mailed.id);
  await ask(stage.hub, 'QualifyHandle', { handleId: (await ask(stage.hub, 'GetPerson', { customerId: mailed.customerId })).person.members[0].handles[0].handle.id, qualifier: 'QUALIFIER_ROLE' });
  await dialog.getByRole('button', { name: 'Merge', exact: true }).click();
  await dialog.getByText('Something changed while you were looking.').waitFor();
  await dialog.getByRole('button', { name: 'Merge all the same' }).click();
  await dialog.waitFor({ state: 'detached' });
  await olu.lines('does not boil').waitFor();

  // The colleague's page hears of it by itself.
  await other.lines('the kettle again').waitFor();
  stage.end();
});

test('the timeline as it was, filtered, and at a date', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ from: 'Ada Obi <ada@example.org>', subject: 'First', text: 'the first word' }));
  const { id, customerId } = await stage.hub.conversation('First');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  await olu.note('nobody else needs to know');
  await olu.lines('nobody else').getByText('Only your team').waitFor();
  await ask(stage.hub, 'RecordEvent', { customerId, type: 'order.placed', title: 'Order 1042', link: 'https://shop.example/1042', payload: { total: 48 }, eventId: 'o1042', source: 'shop' });
  const order = olu.timeline.getByRole('article', { name: 'Event: Order 1042' });
  await order.waitFor();
  await order.getByText('Details').click();
  await order.getByText('"total": 48').waitFor();
  assert.equal(await order.getByRole('link').getAttribute('href'), 'https://shop.example/1042');
  box.deliver(mail({ from: 'Ada Obi <ada@example.org>', subject: 'Second', text: 'the second word' }));
  await olu.lines('the second word').waitFor();
  assert.deepEqual(await violations(olu.page), []);

  const show = olu.page.getByRole('group', { name: 'Show in the timeline' });
  await show.getByRole('button', { name: 'Notes' }).click();
  await olu.lines('the second word').waitFor({ state: 'detached' });
  await olu.lines('nobody else').waitFor();
  await show.getByRole('button', { name: 'Events' }).click();
  await order.waitFor();
  await show.getByRole('button', { name: 'All' }).click();
  await olu.lines('the second word').waitFor();

  // As of the first message: nothing that came later, nothing to write with, and the conversation as it was.
  await stage.hub.call('SetPriority', { conversationId: id, priority: 'PRIORITY_URGENT' });
  await olu.page.getByRole('button', { name: 'Priority: Urgent' }).waitFor();
  const first = olu.lines('the first word');
  await first.hover();
  await first.getByRole('button', { name: 'Show the timeline as of here' }).click();
  await olu.page.getByText(/^As it was on/).waitFor();
  await olu.lines('nobody else').waitFor({ state: 'detached' });
  await first.waitFor();
  assert.equal(await olu.lines('the second word').count(), 0);
  assert.equal(await order.count(), 0);
  assert.equal(await olu.editor.count(), 0);
  await olu.page.getByRole('list', { name: 'The conversation as it was' }).getByText('Normal').waitFor();
  assert.equal(await olu.page.locator('[data-pane=timeline]').getByText('Urgent').count(), 0);
  assert.deepEqual(await violations(olu.page), []);
  await olu.page.getByRole('button', { name: 'Back to now' }).click();
  await olu.lines('the second word').waitFor();
  await olu.editor.waitFor();

  // By key, before anything was said; and at the end of a day.
  await olu.timeline.focus();
  await olu.page.keyboard.press('h');
  await olu.page.getByLabel('Date and time').fill('2999-01-01T00:00');
  await olu.page.getByText('This is in the future.').waitFor();
  await olu.page.keyboard.press('Escape');
  await olu.page.getByRole('button', { name: 'Go to date…' }).click();
  await olu.page.getByRole('dialog').getByRole('button', { name: 'Show' }).click();
  await olu.lines('the second word').waitFor();
  await olu.page.getByRole('button', { name: 'Show all' }).click();
  await olu.lines('the second word').waitFor();
  stage.end();
});

test('a wrong number is moved to a new customer', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ from: 'Ada Obi <ada@example.org>', subject: 'Mine', text: 'I am somebody else' }));
  const { id, customerId } = await stage.hub.conversation('Mine');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  await olu.saw('I am somebody else');
  await pane(olu).getByRole('button', { name: 'More about ada@example.org' }).click();
  await olu.page.getByRole('menuitem', { name: 'An office’s' }).click();
  await pane(olu).getByText('Office', { exact: true }).waitFor();
  await pane(olu).getByRole('button', { name: 'Why is ada@example.org his?' }).click();
  await pane(olu).getByText('An office’s, as info@.').waitFor();
  await pane(olu).getByRole('button', { name: 'More about ada@example.org' }).click();
  await olu.page.getByRole('menuitem', { name: 'Move to somebody else…' }).click();
  const dialog = olu.page.getByRole('dialog', { name: 'Move this address' });
  await dialog.getByText('What goes along').waitFor();
  assert.deepEqual(await violations(olu.page), []);
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
  await olu.page.getByRole('button', { name: 'Show', exact: true }).click();
  await olu.page.waitForURL((url) => !url.pathname.includes(customerId));
  const { person } = await ask(stage.hub, 'GetPerson', { customerId });
  assert.deepEqual((person.members[0].handles ?? []).map((one) => one.handle.address), []);
  stage.end();
});

test('a customer is exported, held, and erased', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ from: 'Ada Obi <ada@example.org>', subject: 'Forget me', text: 'a canary that must go' }));
  const { id, customerId } = await stage.hub.conversation('Forget me');
  const olu = await Agent.login(stage);
  const { page } = olu;
  await olu.goto(id);
  await olu.saw('a canary that must go');
  const menu = async (item) => {
    await pane(olu).getByRole('button', { name: 'More about this person' }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  await menu('Export…');
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const link = page.getByRole('link', { name: 'Download the archive' });
  await link.waitFor();
  assert.deepEqual(await violations(page), []);
  const download = page.waitForEvent('download');
  await link.click();
  assert.equal((await readFile(await (await download).path())).subarray(0, 2).toString(), 'PK');
  await page.keyboard.press('Escape');

  // A hold refuses, until it is lifted.
  await menu('Legal hold…');
  await page.getByLabel('Why?').fill('Case 12/26');
  await page.getByRole('button', { name: 'Place the hold' }).click();
  const hold = pane(olu).getByRole('list', { name: 'Legal holds' }).getByRole('listitem');
  await hold.getByText('Case 12/26').waitFor();
  await menu('Erase…');
  const dialog = page.getByRole('dialog', { name: /^Eras(e|ure)\b/ });
  await dialog.getByText(/^This cannot be done/).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press('Escape');
  await hold.getByRole('button', { name: 'Lift' }).click();
  await hold.waitFor({ state: 'detached' });

  await menu('Erase…');
  const erase = dialog.getByRole('button', { name: 'Erase for good' });
  await dialog.getByText('1 message').first().waitFor();
  assert.equal(await erase.isDisabled(), true);
  const word = (await dialog.getByLabel(/^Type “/).evaluate((node) => node.labels[0].textContent)).match(/“(.*)”/)[1];
  await dialog.getByLabel(/^Type “/).fill(word);
  await erase.click();
  await dialog.getByText('Everything was erased.').waitFor({ timeout: 60_000 });
  await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();

  await page.goto(`${stage.hub.url}/customers/${customerId}`);
  await page.getByText('This customer was erased.').waitFor();
  assert.ok(!(await page.content()).includes('canary'), 'something of him is still there');
  await page.goto(`${stage.hub.url}/settings/privacy`);
  await page.getByRole('list', { name: 'Erasures' }).getByText(/^Done/).waitFor();
  assert.deepEqual(await violations(page), []);
  stage.end();
});
