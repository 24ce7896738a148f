// An address is verified: by a code the customer reads out, by a link he opens, and not by guessing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { inBothLights, reflows, violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';
import { until } from './rig/until.mjs';

const ada = 'ada@example.org';

async function wrote(t, options) {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ from: `Ada Obi <${ada}>`, subject: 'Kettle', text: 'My kettle does not boil.' }));
  const { id } = await stage.hub.conversation('Kettle');
  const olu = await Agent.login(stage, undefined, options);
  await olu.goto(id);
  await olu.lines('does not boil').waitFor();
  return { box, stage, olu, page: olu.page, id };
}

const pane = (page) => page.getByRole('complementary', { name: 'Customer' });
const asking = (page) => page.getByRole('dialog', { name: 'Verify this address' });

/** What stands in the n-th mail of this kind: the code, or the link. */
const inMail = (box, pattern, n = 1) => until(`mail ${n} with ${pattern}`, () => box.sent.map(unfolded).filter((sent) => pattern.test(sent))[n - 1]?.match(pattern)[1]);

/** Quoted-printable as it was before it was. */
const unfolded = (sent) => sent.replaceAll(/=\r?\n/g, '').replaceAll('=3D', '=');
const codeIn = (box, n) => inMail(box, /^\s{4}(\d{6})\s*$/m, n);
const linkIn = (box, n) => inMail(box, /(http:\/\/\S+\/prove\/[\w.-]+)/, n);

test('a code is sent, told wrong, told right', async (t) => {
  const { box, stage, page } = await wrote(t);
  const open = pane(page).getByRole('button', { name: `Verify this address: ${ada}` });
  await open.focus();
  await page.keyboard.press('Enter');
  const dialog = asking(page);
  await dialog.getByText('It says nothing of what he wrote to you.').waitFor();
  assert.deepEqual(await inBothLights(page), []);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await until('Esc gives the focus back', () => open.evaluate((node) => node === document.activeElement));

  await page.keyboard.press('Enter');
  await dialog.getByRole('radio', { name: /^One-time code/ }).waitFor();
  await dialog.getByRole('button', { name: 'Send the code' }).press('Enter');
  await dialog.getByText('A code was sent').waitFor();
  await dialog.getByText(/It was handed over/).waitFor();
  const clock = dialog.getByRole('timer');
  assert.match(await clock.textContent(), /^(10:00|9:\d\d)$/);
  const before = await clock.textContent();
  await until('the clock runs', async () => (await clock.textContent()) !== before);
  assert.deepEqual(await violations(page), []);

  const code = await codeIn(box);
  const field = dialog.getByLabel('Code the customer reads out');
  await field.fill('12345');
  await field.press('Enter');
  await dialog.getByText('A code has six digits.').waitFor();
  await field.fill(code === '000000' ? '111111' : '000000');
  await field.press('Enter');
  await dialog.getByText('That was not the code. 4 tries left.').waitFor();
  await dialog.locator('dd', { hasText: /^4$/ }).waitFor();
  assert.deepEqual(await inBothLights(page), []);

  // Closed meanwhile, it is still told beside the address.
  await page.keyboard.press('Escape');
  await pane(page).getByRole('button', { name: /^A code was sent · 9:\d\d left$/ }).click();
  await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await field.press('Enter');
  await dialog.getByText('Proven', { exact: true }).waitFor();
  await dialog.getByText('Whoever this is controls the address.').waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await pane(page).getByRole('listitem').filter({ hasText: ada }).getByText('Proven').waitFor();
  assert.equal(await open.count(), 0);
  await pane(page).getByRole('button', { name: `Why is ${ada} his?` }).click();
  await pane(page).getByText('Proven by a code or a signed link.').waitFor();

  await page.goto(`${stage.hub.url}/settings/audit`);
  const log = page.getByRole('list', { name: 'Audit log' });
  await log.getByText('took what proves an address').waitFor();
  await log.getByText('gave a wrong or late code for an address').waitFor();
  stage.end();
});

test('on a phone, a link is sent and opened by the customer', async (t) => {
  const { box, stage, page } = await wrote(t, { viewport: { width: 375, height: 760 } });
  await page.getByRole('button', { name: /customer$/i }).first().click();
  await pane(page).getByRole('button', { name: `Verify this address: ${ada}` }).click();
  const dialog = asking(page);
  await dialog.getByRole('radio', { name: /^Signed link/ }).check();
  assert.deepEqual(await reflows(page), { scrolls: false, wide: [] });
  await dialog.getByRole('button', { name: 'Send the link' }).click();
  await dialog.getByText('A link was sent').waitFor();
  await dialog.getByText('There is nothing to type').waitFor();
  assert.equal(await dialog.getByLabel('Code the customer reads out').count(), 0);
  assert.deepEqual(await reflows(page), { scrolls: false, wide: [] });
  assert.deepEqual(await violations(page), []);

  const customer = await (await stage.person()).newPage();
  await customer.goto(await linkIn(box));
  assert.equal(await dialog.getByText('Proven', { exact: true }).count(), 0, 'to open the page proves nothing');
  await customer.getByRole('button').click();
  await dialog.getByText('Proven', { exact: true }).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await pane(page).getByRole('listitem').filter({ hasText: ada }).getByText('Proven').waitFor();
  stage.end();
});

test('guessing ends, a newer code voids the older, and there are not many', async (t) => {
  const { box, stage, page } = await wrote(t);
  await pane(page).getByRole('button', { name: `Verify this address: ${ada}` }).click();
  const dialog = asking(page);
  await dialog.getByRole('button', { name: 'Send the code' }).click();
  const first = await codeIn(box);
  await dialog.getByRole('button', { name: 'Send another instead' }).click();
  await dialog.getByRole('button', { name: 'Send the code' }).click();
  const second = await codeIn(box, 2);
  const field = dialog.getByLabel('Code the customer reads out');
  const wrong = [first, '000000', '111111', '222222', '333333', '444444'].filter((code) => code !== second).slice(0, 5);
  for (const [i, code] of wrong.entries()) {
    await field.fill(code);
    await field.press('Enter');
    if (i < 4) await dialog.getByText(`That was not the code. ${4 - i} ${i === 3 ? 'try' : 'tries'} left.`).waitFor();
  }
  await dialog.getByText('Not proven').waitFor();
  await dialog.getByText('The code was wrong too often.').waitFor();
  assert.deepEqual(await violations(page), []);
  await dialog.getByRole('button', { name: 'Send a new one' }).click();
  await dialog.getByRole('button', { name: 'Send the code' }).click();
  await codeIn(box, 3);
  await dialog.getByRole('button', { name: 'Send another instead' }).click();
  await dialog.getByRole('button', { name: 'Send the code' }).click();
  await dialog.getByRole('alert').getByText(/^Not sent\. Too many codes were sent to this address\. The next one can be sent from/).waitFor();
  assert.deepEqual(await violations(page), []);
  stage.end();
});

test('an address he only names is verified, and joins him with whom it belongs to', async (t) => {
  const { box, stage, page } = await wrote(t);
  box.deliver(mail({ from: 'A. Obi <a.obi@example.net>', subject: 'Invoice', text: 'another matter' }));
  const other = await stage.hub.conversation('Invoice');
  await pane(page).getByRole('button', { name: 'More about this person' }).click();
  await page.getByRole('menuitem', { name: 'Verify an address he names…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Verify an address' });
  const send = dialog.getByRole('button', { name: 'Send the code' });
  assert.equal(await send.isDisabled(), true);
  await dialog.getByLabel('Address he says is his').fill('+44 20 7946 0000');
  await dialog.getByText('No inbox can write to phone numbers.').waitFor();
  await dialog.getByLabel('Address he says is his').fill('a.obi@example.net');
  assert.deepEqual(await violations(page), []);
  await send.click();
  await dialog.getByLabel('Code the customer reads out').fill(await codeIn(box));
  await dialog.getByRole('button', { name: 'Check' }).click();
  await dialog.getByText('The address was another customer’s. The two are one person now.').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await pane(page).getByText('One person, 2 customers').waitFor();
  await pane(page).getByRole('listitem').filter({ hasText: 'a.obi@example.net' }).getByText('Proven').waitFor();
  await page.getByRole('log').getByRole('article').filter({ hasText: 'another matter' }).waitFor();
  assert.equal((await stage.hub.conversation('another matter')).customerId, other.customerId, 'nothing was moved');
  stage.end();
});
