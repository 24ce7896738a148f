// What an agent says of conversations and takes back: shown together, a part split off, who spoke on a shared line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { inBothLights, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { until } from './rig/until.mjs';

const ada = 'Ada Obi <ada@example.org>';

async function desk(t, letters) {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  const rows = [];
  for (const letter of letters) {
    box.deliver(mail(letter));
    const row = await stage.hub.conversation(letter.subject);
    rows.push(row);
  }
  return { box, stage, rows };
}

/** The heads that divide the timeline, as read. */
const heads = (olu) => olu.timeline.getByRole('heading', { level: 2 }).allTextContents();

/** Waits until exactly these subjects divide the timeline, in this order. */
const divided = (olu, what, ...subjects) => until(what, async () => {
  const have = await heads(olu);
  return have.length === subjects.length && subjects.every((subject, i) => have[i].includes(subject));
});

const more = async (olu, item) => {
  await olu.page.getByRole('button', { name: 'More about this conversation' }).click();
  await olu.page.getByRole('menuitem', { name: item }).click();
};

/** Chooses from the dialog of what is shown together. */
async function together(olu, pick) {
  await more(olu, 'Show together with…');
  const dialog = olu.page.getByRole('dialog', { name: 'Show together with…' });
  await pick(dialog);
  await dialog.waitFor({ state: 'detached' });
}

test('two conversations are shown as one, and apart again', async (t) => {
  const { stage, rows } = await desk(t, [{ from: ada, subject: 'Kettle', text: 'does not boil' }]);
  const { conversationId } = await stage.hub.call('StartConversation', { kind: 'email', address: 'ada@example.org', inboxId: 'support', subject: 'Toaster', text: 'does not toast' });
  rows.push({ id: conversationId });
  const olu = await Agent.login(stage);
  await olu.goto(rows[1].id);
  await divided(olu, 'they are apart', 'Kettle', 'Toaster');
  await together(olu, async (dialog) => {
    const other = dialog.getByRole('list', { name: 'Other conversations' }).getByRole('button', { name: /Kettle/ });
    await other.waitFor();
    assert.deepEqual(await inBothLights(olu.page), []);
    await other.press('Enter');
  });
  await divided(olu, 'they are one', 'together');
  await olu.lines('does not boil').waitFor();
  await olu.lines('does not toast').waitFor();
  await olu.timeline.getByText('You showed this together with another conversation').first().waitFor();
  assert.deepEqual(await violations(olu.page), []);

  // From the other side it is the same, and it is taken back there.
  await olu.goto(rows[0].id);
  await divided(olu, 'they are one from the other side', 'together');
  await together(olu, (dialog) => dialog.getByRole('list', { name: 'Shown together' }).getByRole('button', { name: 'Show apart' }).click());
  await until('they are apart again', async () => (await heads(olu)).every((head) => !head.includes('together')));
  const { topics = [] } = await stage.hub.call('GetTimeline', { customerId: rows[0].customerId });
  assert.deepEqual(topics, []);
  await olu.lines('does not boil').waitFor();
  await olu.lines('does not toast').waitFor();
  stage.end();
});

test('a message about something else is split off, and shown with the rest again', async (t) => {
  const { box, stage, rows: [row] } = await desk(t, [{ from: ada, subject: 'Kettle', text: 'does not boil' }]);
  const olu = await Agent.login(stage);
  await olu.goto(row.id);
  await olu.saw('does not boil');
  await olu.reply('Please descale it.');
  const asked = await box.caught('Please descale it.');
  const id = /^Message-I[dD]: (.*)$/m.exec(asked)[1].trim();
  box.deliver(mail({ from: ada, subject: 'Re: Kettle', text: 'and where is my invoice', headers: `In-Reply-To: ${id}\nReferences: ${id}\n` }));
  await olu.lines('where is my invoice').waitFor();
  await divided(olu, 'it is one conversation', 'Kettle');

  await more(olu, 'Split messages off…');
  const bar = olu.page.getByRole('region', { name: 'Messages chosen' });
  await bar.getByText('Take the messages that are about something else.').waitFor();
  await bar.press('Escape');
  await bar.waitFor({ state: 'detached' });
  await olu.editor.waitFor();
  await more(olu, 'Split messages off…');
  await olu.lines('where is my invoice').getByRole('checkbox').check();
  await bar.getByText('1 message taken.').waitFor();
  assert.deepEqual(await inBothLights(olu.page), []);
  await bar.getByRole('button', { name: 'Show as a conversation of its own' }).click();
  await olu.page.waitForURL((url) => url.pathname.startsWith('/c/') && !url.pathname.includes(row.id));
  const split = new URL(olu.page.url()).pathname.split('/').pop();
  await olu.lines('where is my invoice').waitFor();
  await until('the line between them is drawn', async () => (await heads(olu)).length >= 2);
  const of = async (conversationId) => (await stage.hub.timeline(row.customerId)).filter((entry) => entry.message && entry.conversationId === conversationId).map((entry) => entry.message.text.trim());
  assert.deepEqual(await of(split), ['and where is my invoice']);
  assert.deepEqual(await of(row.id), ['does not boil', 'Please descale it.']);
  assert.deepEqual(await violations(olu.page), []);

  // Nothing was moved: shown together it reads as it did.
  await together(olu, (dialog) => dialog.getByRole('list', { name: 'Other conversations' }).getByRole('button').first().click());
  await divided(olu, 'it is one again', 'together');
  const said = (await olu.timeline.getByRole('article').allTextContents()).map((text) => ['does not boil', 'descale', 'invoice'].find((word) => text.includes(word))).filter(Boolean);
  assert.deepEqual(said, ['does not boil', 'descale', 'invoice']);
  await olu.page.getByRole('region', { name: 'Write a reply' }).getByText('ada@example.org').waitFor();
  stage.end();
});

test('on a shared line an agent says who spoke, and takes it back', async (t) => {
  const { stage, rows: [line, own] } = await desk(t, [
    { from: 'The Obis <family@example.org>', subject: 'Booking', text: 'four tickets please' },
    { from: ada, subject: 'Kettle', text: 'does not boil' },
  ]);
  const olu = await Agent.login(stage);
  const { page } = olu;
  await olu.goto(line.id);
  await olu.saw('four tickets');
  const pane = page.getByRole('complementary', { name: 'Customer' });

  // On an address of one person's own nobody else can have spoken.
  const name = async (pick) => {
    await more(olu, 'Who spoke…');
    const dialog = page.getByRole('dialog', { name: 'Who spoke?' });
    await pick(dialog);
    return dialog;
  };
  const ask = (dialog) => dialog.getByLabel('Who is it?').fill('ada@example.org').then(() => dialog.getByRole('list', { name: 'Customers found' }).getByRole('button').first().click());
  const refused = await name(ask);
  await page.getByText(/^Not noted\. only what came over a shared handle/).waitFor();
  await page.keyboard.press('Escape');
  await refused.waitFor({ state: 'detached' });

  await pane.getByRole('button', { name: 'More about family@example.org' }).click();
  await page.getByRole('menuitem', { name: 'Shared by several' }).click();
  await pane.getByText('None known.').waitFor();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/c/') && !url.pathname.includes(line.id));
  const now = { id: new URL(page.url()).pathname.split('/').pop() };
  await olu.lines('four tickets').waitFor();
  await pane.getByText('Shared', { exact: true }).waitFor();
  const dialog = await name(async (open) => {
    await open.getByLabel('Who is it?').waitFor();
    assert.deepEqual(await inBothLights(page), []);
    await ask(open);
  });
  await dialog.waitFor({ state: 'detached' });
  const spoken = page.getByRole('main').getByRole('link', { name: 'Spoken by Ada Obi' });
  await spoken.waitFor();
  await olu.timeline.getByText(/said who spoke/).waitFor();
  assert.deepEqual(await violations(page), []);
  assert.equal((await stage.hub.call('GetConversation', { conversationId: now.id })).conversation.attributedTo, own.customerId);

  // It leads to her; the conversation stays where it was.
  await spoken.click();
  await olu.lines('does not boil').waitFor();
  assert.equal(await olu.lines('four tickets').count(), 0);

  await olu.goto(now.id);
  await spoken.waitFor();
  const again = await name((open) => open.getByRole('button', { name: 'Take back who spoke' }).click());
  await again.waitFor({ state: 'detached' });
  await spoken.waitFor({ state: 'detached' });
  await olu.timeline.getByText(/took back who spoke/).waitFor();
  await olu.lines('four tickets').waitFor();
  stage.end();
});
