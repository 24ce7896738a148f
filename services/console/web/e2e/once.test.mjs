// Whatever breaks on the way, everything is said once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { Visitor } from './rig/visitor.mjs';

/** A reconnect may be as far away as its backoff. */
const patient = { timeout: 40_000 };

async function talk(t) {
  const stage = await Stage.open(t);
  const visitor = await Visitor.arrive(stage);
  await visitor.say('hello there');
  const conversation = await stage.hub.conversation('hello there');
  const olu = await Agent.login(stage);
  await olu.goto(conversation.id);
  await olu.saw('hello there');
  return { stage, visitor, conversation, olu };
}

/** The text is exactly once on both screens and in the log. */
async function once({ stage, visitor, conversation, olu }, text) {
  await visitor.lines(text).first().waitFor(patient);
  await olu.lines(text).first().waitFor(patient);
  assert.equal(await stage.hub.count(conversation.customerId, text), 1);
  // Both screens read everything anew, and still show it once.
  for (const page of [visitor.page, olu.page]) await page.reload();
  await visitor.open();
  await visitor.lines(text).first().waitFor();
  await olu.lines(text).first().waitFor();
  assert.equal(await visitor.lines(text).count(), 1);
  assert.equal(await olu.lines(text).count(), 1);
}

/** When the hub dies, seen from the reply's request. */
const moments = {
  'after the reply was taken, before the answer': async (route, stage) => {
    await route.fetch();
    await stage.hub.kill();
    await route.abort('connectionreset');
  },
  'while the reply is handled': async (route, stage) => {
    const answer = route.fetch().catch(() => {});
    await stage.hub.kill();
    await answer;
    await route.abort('connectionreset');
  },
  'before the reply arrives': async (route, stage) => {
    await stage.hub.kill();
    await route.abort('connectionreset');
  },
};

for (const [when, die] of Object.entries(moments)) {
  test(`kill -9 ${when}: one message`, async (t) => {
    const play = await talk(t);
    const { stage, visitor, olu } = play;
    let died;
    const dead = new Promise((resolve) => { died = resolve; });
    await olu.page.route('**/*InboxService/SendReply', async (route) => {
      await die(route, stage);
      died();
    }, { times: 1 });
    await olu.reply('said through a crash');
    await dead;
    await olu.page.getByText(/^Offline/).waitFor();
    await stage.hub.restart();
    await olu.lines('said through a crash').getByText(/Sent|Delivered|Read/).waitFor(patient);
    await visitor.lines('said through a crash').waitFor(patient);
    await once(play, 'said through a crash');
    stage.end();
  });
}

test('kill -9 while the customer sends: one message', async (t) => {
  const play = await talk(t);
  const { stage, visitor } = play;
  const gone = new Promise((resolve, reject) => visitor.onSent((frame) => {
    if (!frame.includes('"type":"message"')) return;
    visitor.onSent(undefined);
    stage.hub.kill().then(resolve, reject);
  }));
  await visitor.say('into the dark');
  await gone;
  await visitor.say('and one more');
  await stage.hub.restart();
  await visitor.lines('and one more').getByText(/Sent|Delivered|Read/).waitFor(patient);
  await once(play, 'into the dark');
  await once(play, 'and one more');
  stage.end();
});

test('an agent off the network writes on, and resumes without a gap', async (t) => {
  const play = await talk(t);
  const { stage, visitor, conversation, olu } = play;
  await olu.context.setOffline(true);
  await olu.page.getByText(/^Offline/).waitFor();
  await olu.write('written in the tunnel');
  await olu.page.getByRole('button', { name: 'Send later' }).click();
  await olu.lines('written in the tunnel').getByText('Waiting for the connection').waitFor();
  await olu.page.getByText('1 waiting to be sent').waitFor();
  assert.equal(await stage.hub.count(conversation.customerId, 'written in the tunnel'), 0);

  await olu.context.setOffline(false);
  await visitor.lines('written in the tunnel').waitFor(patient);
  await olu.page.getByText(/^Offline/).waitFor({ state: 'detached' });
  await once(play, 'written in the tunnel');

  // What others say meanwhile is all there afterwards, in order, each once.
  await olu.saw('written in the tunnel');
  await olu.context.setOffline(true);
  await olu.page.getByText(/^Offline/).waitFor();
  const said = ['one of three', 'two of three', 'three of three'];
  for (const text of said) await visitor.say(text);
  await visitor.lines('three of three').getByText(/Sent|Delivered/).waitFor();
  assert.equal(await olu.lines('of three').count(), 0);
  await olu.context.setOffline(false);
  await olu.lines('three of three').waitFor(patient);
  const shown = await olu.lines('of three').allInnerTexts();
  assert.deepEqual(shown.map((text) => said.find((one) => text.includes(one))), said);
  stage.end();
});
