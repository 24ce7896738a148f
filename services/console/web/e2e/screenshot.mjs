// Makes the pictures of the documentation from the demo's own data:
//
//	WEFTLINE_TEST_HUB=… node e2e/screenshot.mjs [directory]   (default docs/images)
//
// console.png, 1440 × 900, light: a customer who wrote by mail and goes on by chat.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent } from './rig/agent.mjs';
import { launch, person } from './rig/browser.mjs';
import { Hub } from './rig/hub.mjs';
import { smaller } from './rig/png.mjs';
import { until } from './rig/until.mjs';

/** Most bytes of a picture in the repository. */
const most = 400 * 1024;

const out = process.argv[2] ?? fileURLToPath(new URL('../../../../docs/images', import.meta.url));
const hub = await Hub.start();
const browser = await launch();
try {
  const stage = { hub, browser, person: (options) => browser.newContext({ ...person, ...options }) };
  const { id } = await hub.conversation('rather not explain');
  const olu = await Agent.login(stage);
  const lee = await olu.colleague();
  await olu.goto(id);
  await olu.saw('rather not explain');
  await olu.note('Carrier says it left Rotterdam this morning, expected tomorrow before noon.');
  await olu.lines('Rotterdam').getByText('Only your team').waitFor();
  await lee.open('Where is my order');
  await lee.saw('Rotterdam');
  await olu.page.getByRole('button', { name: 'Tag', exact: true }).click();
  await olu.page.getByLabel('New tag').fill('delivery');
  await olu.page.keyboard.press('Enter');
  await olu.page.getByRole('button', { name: 'Remove the tag delivery' }).waitFor();
  await olu.page.keyboard.press('Escape');
  await olu.page.getByRole('button', { name: 'Reply', exact: true }).click();
  await olu.page.getByLabel('Reply to Ada Obi').waitFor();
  await olu.write('Hi Ada, no need to explain it again: I have your mail right here. Your parcel');
  await olu.page.getByText('Draft saved').waitFor();
  await olu.page.getByRole('list', { name: 'Also here' }).waitFor();
  await until('every font is there', () => olu.page.evaluate(() => document.fonts.status === 'loaded'));
  await mkdir(out, { recursive: true });
  const picture = smaller(await olu.page.screenshot({ animations: 'disabled', caret: 'hide' }));
  if (picture.length > most) throw new Error(`console.png has ${picture.length} bytes, at most ${most} are allowed`);
  await writeFile(join(out, 'console.png'), picture);
  console.log(`${join(out, 'console.png')}: ${Math.round(picture.length / 1024)} KB`);
} finally {
  await browser.close();
  await hub.stop();
}
