// WhatsApp's window is closed: the composer offers the approved texts instead of an editor.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { violations } from './rig/axe.mjs';
import { Stage } from './rig/browser.mjs';
import { until } from './rig/until.mjs';

const business = '102290129340398';

/** As much of the Graph API as this needs: a fake of the documented protocol. */
async function graph(t) {
  const sent = [];
  const server = createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => {
      const templates = request.url.startsWith(`/v24.0/${business}/message_templates?`);
      answer.setHeader('content-type', 'application/json');
      if (request.method === 'GET' && !templates) return answer.end(JSON.stringify({ id: request.url.split(/[/?]/)[2] })); // is the token good?
      if (!templates) sent.push(JSON.parse(body));
      answer.end(JSON.stringify(templates
        ? { data: [
          { name: 'order_ready', language: 'en_US', status: 'APPROVED', category: 'UTILITY', components: [{ type: 'BODY', text: 'Hello {{1}}, order {{2}} is ready.', example: { body_text: [['Ada', '1042']] } }, { type: 'FOOTER', text: 'Weft shop' }] },
          { name: 'picture', language: 'en', status: 'APPROVED', category: 'MARKETING', components: [{ type: 'HEADER', format: 'IMAGE' }, { type: 'BODY', text: 'Look.' }] },
        ] }
        : { messages: [{ id: `wamid.${sent.length}` }] }));
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  return { sent, url: `http://127.0.0.1:${server.address().port}` };
}

test('a closed window leaves the approved texts', async (t) => {
  const meta = await graph(t);
  const stage = await Stage.open(t, { config: {
    demo: 'off', outgoing: { allow: ['127.0.0.0/8'] },
    inboxes: [{ id: 'wa', channel: 'whatsapp', name: 'Shop on WhatsApp', settings: {
      account_id: '106540352242922', access_token: 'EAAtokenOfNobody', app_secret: '0123456789abcdef0123456789abcdef', verify_token: 'a word of ours', api_url: meta.url, business_id: business,
    } }],
  } });
  const { conversationId } = await stage.hub.call('StartConversation', { kind: 'phone', address: '+4930123456', inboxId: 'wa', subject: 'Your order', text: 'Hello Ada, order 7 is ready.', template: { name: 'order_ready', language: 'en-US', values: ['Ada', '7'] }, idempotencyKey: 'start' });
  await until('the first template went out', () => meta.sent.length === 1);
  const olu = await Agent.login(stage, undefined, { path: `/c/${conversationId}` });
  const { page } = olu;

  await page.getByText(/No text can be sent/).waitFor();
  assert.equal(await olu.editor.count(), 0);
  const form = page.getByRole('form', { name: 'Send a template' });
  const send = form.getByRole('button', { name: 'Send the template' });
  await form.getByLabel('Template').selectOption('picture en');
  await form.getByText(/its head is a file/).waitFor();
  assert.ok(await send.isDisabled());
  await form.getByLabel('Template').selectOption('order_ready en-US');
  await form.getByLabel('Place 1').fill('Ada');
  assert.ok(await send.isDisabled());
  await form.getByText('Hello Ada, order {{2}} is ready.').waitFor();
  await form.getByLabel('Place 2').fill('8');
  await form.getByText('Hello Ada, order 8 is ready.').waitFor();
  assert.deepEqual(await violations(page), []);
  await send.click();

  await until('the second template went out', () => meta.sent.length === 2);
  assert.equal(meta.sent[1].template.name, 'order_ready');
  assert.equal(meta.sent[1].template.language.code, 'en_US');
  assert.deepEqual(meta.sent[1].template.components[0].parameters.map(({ text }) => text), ['Ada', '8']);
  await olu.lines('order 8 is ready').waitFor();

  // A note can be written all the same.
  await olu.note('told her by template');
  await olu.lines('told her by template').waitFor();
  stage.end();
});
