// Two agents, one customer: nobody is answered twice, nobody's words are lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { hold } from './rig/hold.mjs';
import { until } from './rig/until.mjs';
import { Visitor } from './rig/visitor.mjs';

const stale = 'Lee: your parcel is in Lagos.';

async function twoAgents(t) {
  const stage = await Stage.open(t);
  const visitor = await Visitor.arrive(stage);
  await visitor.say('where is my parcel?');
  const conversation = await stage.hub.conversation('where is my parcel?');
  const olu = await Agent.login(stage);
  const lee = await olu.colleague();
  for (const agent of [olu, lee]) {
    await agent.goto(conversation.id);
    await agent.saw('where is my parcel?');
  }
  return { stage, visitor, conversation, olu, lee };
}

/** Lee sends, and while his reply is under way Olu's arrives first. */
async function late({ visitor, olu, lee }, first) {
  const held = await hold(lee.page, '**/*InboxService/SendReply');
  await lee.reply(stale);
  await held.seen;
  await olu.reply(first);
  await visitor.lines(first).waitFor();
  held.release();
  await lee.refusal.getByText(first).waitFor();
}

test('the second answer is held back and kept as a draft', async (t) => {
  const play = await twoAgents(t);
  const { stage, visitor, conversation, olu, lee } = play;
  await late(play, 'Olu: it comes tomorrow.');
  assert.equal(await visitor.lines(stale).count(), 0);
  await lee.refusal.getByRole('button', { name: 'Keep as draft' }).click();
  await lee.editor.getByText(stale).waitFor();
  await lee.page.getByText('Draft saved').waitFor();
  assert.equal(await lee.lines(stale).count(), 0);

  await lee.page.reload();
  await lee.editor.getByText(stale).waitFor();
  assert.equal(await stage.hub.count(conversation.customerId, stale), 0);

  // Seen now, so the same words go out, once.
  await lee.saw('Olu: it comes tomorrow.');
  await lee.page.getByRole('button', { name: 'Send', exact: true }).click();
  await visitor.lines(stale).waitFor();
  await olu.lines(stale).waitFor();
  assert.equal(await stage.hub.count(conversation.customerId, stale), 1);
  stage.end();
});

test('review leaves the reply held back, send anyway sends it once', async (t) => {
  const play = await twoAgents(t);
  const { stage, visitor, conversation, lee } = play;
  await late(play, 'Olu: it comes tomorrow.');
  await lee.refusal.getByRole('button', { name: 'Review' }).click();
  await lee.refusal.waitFor({ state: 'detached' });
  const line = lee.lines(stale);
  await line.getByText('Held back').waitFor();
  assert.equal(await visitor.lines(stale).count(), 0);
  await line.getByRole('button', { name: 'Send anyway' }).click();
  await visitor.lines(stale).waitFor();
  await lee.lines(stale).getByText(/Sent|Delivered|Read/).waitFor();
  assert.equal(await lee.lines(stale).count(), 1);
  assert.equal(await stage.hub.count(conversation.customerId, stale), 1);
  stage.end();
});

test('agents see one another looking and writing, the customer sees writing only', async (t) => {
  const { stage, visitor, olu, lee } = await twoAgents(t);
  const also = olu.page.getByRole('list', { name: 'Also here' });
  await also.getByText('Lee Park').waitFor();
  await also.getByText('is looking').waitFor();
  await lee.write('Let me');
  await also.getByText('is writing', { exact: true }).waitFor();
  await olu.page.getByText('Lee Park is writing a reply…').waitFor();
  await until('the customer sees typing', () => visitor.received.some((frame) => JSON.parse(frame).type === 'typing'));
  await visitor.box.pressSequentially('well');
  await olu.page.getByText('The customer is typing…').waitFor();
  await lee.page.goto(stage.hub.url + '/inbox');
  await also.waitFor({ state: 'detached' });
  stage.end();
});

test('an internal note never reaches the customer', async (t) => {
  const { stage, visitor, conversation, olu, lee } = await twoAgents(t);
  const secret = 'margin is 40 percent, do not tell';
  const before = visitor.received.length;
  await olu.note(secret);
  await olu.lines(secret).getByText('Only your team').waitFor();
  await lee.lines(secret).waitFor();
  const duringNote = visitor.received.slice(before).map((frame) => JSON.parse(frame).type);
  assert.ok(!duringNote.includes('typing'), 'writing a note must not look like writing to the customer');

  // What is said next comes after the note in the log: once it is here, the note had its chance.
  await lee.saw(secret);
  await lee.reply('It is on its way.');
  await visitor.lines('It is on its way.').waitFor();
  assert.doesNotMatch(await visitor.everything(), /margin|40 percent/);
  // The transcript read anew does not have it either.
  await visitor.page.reload();
  await visitor.open();
  await visitor.lines('It is on its way.').waitFor();
  assert.doesNotMatch(await visitor.everything(), /margin|40 percent/);
  assert.equal(await stage.hub.count(conversation.customerId, secret), 1);
  stage.end();
});
