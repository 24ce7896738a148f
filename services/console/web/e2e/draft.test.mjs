// Words being written are never lost and never overwritten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { owner } from './rig/hub.mjs';

test('a draft survives reload, reassignment, new mail and another device', async (t) => {
  const stage = await Stage.open(t);
  const conversation = await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage);
  const lee = await olu.colleague();
  await olu.goto(conversation.id);
  await olu.write('Dear Lina, the VAT number');
  // Reloaded at once: what the browser itself kept is there before the hub was asked.
  await olu.page.reload();
  await olu.editor.getByText('Dear Lina, the VAT number').waitFor();

  // Somebody else changes everything around it.
  await lee.goto(conversation.id);
  await lee.page.keyboard.press('i');
  await lee.page.keyboard.press('e');
  await olu.page.getByRole('button', { name: 'Status: Closed' }).waitFor();
  await olu.page.getByRole('button', { name: 'Assigned to Lee Park' }).waitFor();
  await olu.editor.getByText('Dear Lina, the VAT number').waitFor();
  await olu.write(' is DE 123');
  await olu.editor.getByText('Dear Lina, the VAT number is DE 123').waitFor();
  await olu.page.getByText('Draft saved').waitFor();

  // The note has a draft of its own.
  await olu.page.getByRole('button', { name: 'Note', exact: true }).click();
  await olu.page.getByLabel('Internal note, only your team sees it').waitFor();
  await olu.write('ask accounting');
  await olu.page.getByText('Draft saved').waitFor();
  await olu.page.getByRole('button', { name: 'Reply', exact: true }).click();
  await olu.editor.getByText('is DE 123').waitFor();

  // The same agent elsewhere goes on where he was; a colleague does not see it.
  const elsewhere = await Agent.login(stage, owner);
  await elsewhere.goto(conversation.id);
  await elsewhere.editor.getByText('Dear Lina, the VAT number is DE 123').waitFor();
  await lee.page.reload();
  await lee.editor.waitFor();
  assert.equal((await lee.editor.innerText()).trim(), '');
  stage.end();
});

// The editor's library gives an editor up that is not on the page within a millisecond, and makes another.
test('a draft is shown also where the first editor came too late', async (t) => {
  const stage = await Stage.open(t);
  const conversation = await stage.hub.conversation('Rechnung 7731');
  const olu = await Agent.login(stage);
  await olu.goto(conversation.id);
  await olu.write('Dear Lina');
  await olu.page.addInitScript(() => {
    const later = window.setTimeout;
    window.late = 0;
    window.setTimeout = (run, ms, ...rest) => {
      if (ms !== 1) return later(run, ms, ...rest);
      window.late += 1;
      queueMicrotask(run);
      return 0;
    };
  });
  await olu.page.reload();
  await olu.editor.getByText('Dear Lina').waitFor();
  assert.ok(await olu.page.evaluate(() => window.late) > 0, 'no editor was given up');
  await olu.write(', hello');
  await olu.editor.getByText('Dear Lina, hello').waitFor();
  stage.end();
});
