// Who does not own the address he writes in the name of is shown as that, in words, and answered only by an agent who insists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { inBothLights, reflows, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';

/** A mailbox whose server checks senders, and writes what it found on top of each mail. */
async function checking(t, options) {
  const box = await Mailbox.start(t);
  const inbox = box.inbox();
  Object.assign(inbox.settings, { verify: 'authserv', authserv_id: 'mx.desk.test' });
  const stage = await Stage.open(t, { config: { inboxes: [inbox] } });
  const arrives = (result, text) => box.deliver(`Authentication-Results: mx.desk.test; dmarc=${result}\nReceived: from out.example (out.example [203.0.113.9]) by mx.desk.test with ESMTP; Fri, 27 Nov 2026 12:00:00 +0000\n${text}`);
  return { box, stage, arrives };
}

const doubt = (page) => page.getByRole('dialog', { name: 'Is this really the sender?' });

test('a reply to a refuted sender says why, and goes only when the agent insists', async (t) => {
  const { box, stage, arrives } = await checking(t);
  arrives('fail header.from=example.org', mail({ from: 'Ada Obi <ada@example.org>', subject: 'Login', text: 'Please send the code again.' }));
  const { id } = await stage.hub.conversation('Login');
  const olu = await Agent.login(stage);
  const { page } = olu;
  await olu.goto(id);
  await olu.saw('send the code again');
  await page.getByRole('region', { name: 'Write a reply' }).getByText('Refuted').waitFor();
  await page.getByRole('complementary', { name: 'Customer' }).getByText('Refuted', { exact: true }).waitFor();

  // The flag says what it means, by key.
  const line = olu.lines('send the code again');
  const flag = line.getByRole('button', { name: 'Unverified' });
  await flag.focus();
  await page.keyboard.press('Enter');
  await line.getByText(/It is not certain who wrote this.*Our mail server checked it: the sender’s domain disowns this message/).waitFor();
  assert.equal(await flag.getAttribute('aria-expanded'), 'true');
  assert.deepEqual(await violations(page), []);

  await olu.reply('Which code do you mean?');
  const dialog = doubt(page);
  await dialog.getByText(/the sender’s domain disowns this message/).waitFor();
  await dialog.getByText('Which code do you mean?').waitFor();
  await dialog.getByText('ada@example.org').waitFor();
  assert.deepEqual(await inBothLights(page), []);
  await page.setViewportSize({ width: 375, height: 760 });
  assert.equal((await reflows(page)).scrolls, false);
  await page.setViewportSize({ width: 1440, height: 900 });
  await dialog.getByRole('button', { name: 'Keep as draft' }).press('Enter');
  await dialog.waitFor({ state: 'detached' });
  await olu.editor.getByText('Which code do you mean?').waitFor();
  assert.equal(await stage.hub.count((await stage.hub.conversation('Login')).customerId, 'Which code'), 0);

  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await dialog.getByRole('button', { name: 'Write to the address anew' }).click();
  const anew = page.getByRole('dialog', { name: 'New conversation' });
  assert.equal(await anew.getByLabel('To', { exact: true }).inputValue(), 'ada@example.org');
  assert.equal(await anew.getByLabel('Message').inputValue(), 'Which code do you mean?');
  await anew.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Send anyway' }).click();
  await dialog.waitFor({ state: 'detached' });
  await box.caught('Which code do you mean?');
  const sent = olu.timeline.getByRole('article', { name: 'Email reply by You' });
  await sent.getByRole('button', { name: 'Sent anyway' }).click();
  await sent.getByText('It is in the audit log.').waitFor();
  assert.deepEqual(await violations(page), []);
  await page.goto(`${stage.hub.url}/settings/audit`);
  await page.getByRole('list', { name: 'Audit log' }).getByText('answered a sender who does not own his address').waitFor();
  stage.end();
});

/** What a mail server writes when it could not deliver something that was not ours. */
const report = `From: MAILER-DAEMON <mailer-daemon@relay.example>
To: Support <support@desk.test>
Subject: flag of bounce
Message-ID: <bounce@relay.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

flag of bounce
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; gone@nowhere.example
Action: failed
Status: 5.1.1
--b--
`;

test('every flag of a message is there in words', async (t) => {
  const { box, stage, arrives } = await checking(t);
  const twin = new URL('http://\u0430\u0440\u0440le.example').hostname; // а, р, р are Cyrillic
  const letter = (about, from, headers = '') => mail({ from, headers, subject: `flag of ${about}`, text: `flag of ${about}` });
  arrives('pass header.from=example.org', letter('none', 'Ada Obi <ada@example.org>'));
  await stage.hub.call('SendReply', { conversationId: (await stage.hub.conversation('flag of none')).id, text: 'Bob knows more.' });
  const reference = /^Message-I[dD]: (.*)$/m.exec(await box.caught('Bob knows more.'))[1].trim();
  const flags = [
    ['Name is another address', 'name', 'evil.example', letter('name', '"service@bank.example" <mallory@evil.example>')],
    ['Sent by another domain', 'sender', 'news.example', letter('sender', 'News <a@news.example>', 'Sender: b@bulk.example\n')],
    ['Look-alike letters', 'letters', twin, letter('letters', `Shop <shop@${twin}>`)],
    ['Auto-reply', 'machine', 'away.example', letter('machine', 'Out <out@away.example>', 'Auto-Submitted: auto-replied\n')],
    ['Third party', 'friend', 'friend.example', letter('friend', 'Bob <bob@friend.example>', `In-Reply-To: ${reference}\nReferences: ${reference}\n`)],
    ['Bounce', 'bounce', 'relay.example', report],
  ];
  for (const [, , domain, text] of flags) arrives(`pass header.from=${domain}`, text);
  const olu = await Agent.login(stage);
  for (const [label, about] of flags) {
    await olu.goto((await stage.hub.conversation(`flag of ${about}`)).id);
    const line = olu.lines(`flag of ${about}`);
    const flag = line.getByRole('button', { name: label });
    const plain = await flag.getAttribute('title');
    await flag.click();
    assert.match(await line.getByRole('status').textContent(), /^[A-Z].*\.$/);
    assert.ok((await line.getByRole('status').textContent()).startsWith(plain), label);
  }
  stage.end();
});
