// Mail that attacks whoever reads it, through a real mailbox to the agent's screen.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Agent } from './rig/agent.mjs';
import { Stage } from './rig/browser.mjs';
import { mail, Mailbox } from './rig/mailbox.mjs';

/** The attacker's server: everything it hears is a leak. */
async function spy(t) {
  const heard = [];
  const server = createServer((request, response) => {
    heard.push(request.url);
    response.writeHead(200, { 'content-type': 'image/gif', 'access-control-allow-origin': '*' }).end('GIF89a');
  });
  await new Promise((up) => server.listen(0, '127.0.0.1', up));
  t.after(() => new Promise((down) => { server.closeAllConnections(); server.close(down); }));
  return { heard, url: `http://127.0.0.1:${server.address().port}` };
}

const attacks = (evil) => `<html><head><base href="${evil}/base/"><meta http-equiv="refresh" content="0;url=${evil}/refresh"><link rel="stylesheet" href="${evil}/style.css">
<link rel="prefetch" href="${evil}/prefetch"><style>@import "${evil}/import.css"; body { background: url(${evil}/body.png) } @font-face { font-family: x; src: url(${evil}/font.woff) }</style></head>
<body background="${evil}/background.png" onload="parent.__xss=1">
<p>Dear support, hostile greetings.</p>
<script>parent.__xss = top.__xss = 2; fetch('${evil}/fetch')</script>
<img src="x" onerror="parent.__xss=3"><img src="${evil}/pixel.gif" width="1" height="1"><img src="${evil}/big.png" alt="A picture"><img srcset="${evil}/set.png 2x">
<div style="background-image:url(${evil}/div.png)">styled</div><div style="background:url('${evil}/quoted.png');width:expression(alert(1))">styled again</div>
<svg onload="parent.__xss=4"><image href="${evil}/svg.png"/><use href="${evil}/use.svg#x"/><script>parent.__xss=5</script></svg>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=parent.__xss=6&gt;">
<form action="${evil}/form"><input name="q" autofocus onfocus="parent.__xss=7"><button>Log in again</button></form>
<iframe src="${evil}/frame" srcdoc="<script>parent.parent.__xss=8</script>"></iframe><object data="${evil}/object"></object><embed src="${evil}/embed">
<video src="${evil}/video" poster="${evil}/poster.png" autoplay></video><audio src="${evil}/audio" autoplay></audio>
<a href="javascript:parent.__xss=9">click</a> <a href="data:text/html,<script>parent.__xss=10</script>">data</a> <a href="${evil}/ping" ping="${evil}/pinged">a link</a>
<details open ontoggle="parent.__xss=11"><summary>s</summary></details><marquee onstart="parent.__xss=12">m</marquee>
<img src="cid:nobody"><input type="image" src="${evil}/input.png"><template shadowrootmode="open"><img src="${evil}/shadow.png"></template></body></html>`;

test('hostile mail runs nothing and tells nobody', async (t) => {
  const box = await Mailbox.start(t);
  const evil = await spy(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ subject: '=?utf-8?q?Hostile_=3Cimg_src=3Dx_onerror=3Dtop=2E=5F=5Fxss=3D20=3E?=', from: '"<script>top.__xss=21</script>" <mallory@evil.test>', text: 'plain part', html: attacks(evil.url) }));
  const { id } = await stage.hub.conversation('Hostile');
  const olu = await Agent.login(stage);
  const foreign = [];
  olu.page.on('request', (request) => {
    if (!request.url().startsWith(stage.hub.url) && !/^(data|blob|about):/.test(request.url())) foreign.push(request.url());
  });
  const opened = [];
  olu.context.on('page', (page) => opened.push(page.url()));
  await olu.goto(id);
  const frame = olu.page.frameLocator('iframe[title^="Mail from"]');
  await frame.getByText('hostile greetings').waitFor();
  await (await (await olu.page.locator('iframe[title^="Mail from"]').elementHandle()).contentFrame()).waitForLoadState('load');
  // Once another mail has come all this way, whatever the first one meant to do had its time.
  box.deliver(mail({ subject: 'Re: Hostile', from: 'mallory@evil.test', text: 'did it work?' }));
  await olu.row('did it work?').waitFor();
  const untouched = async () => {
    assert.equal(await olu.page.evaluate(() => window.__xss), undefined);
    assert.deepEqual(foreign, []);
    assert.deepEqual(evil.heard, []);
    assert.deepEqual(opened, []);
    assert.equal(new URL(olu.page.url()).origin, stage.hub.url);
  };
  await untouched();

  // The frame has neither scripts nor an origin, and nothing in it can be sent.
  assert.equal(await olu.page.locator('iframe[title^="Mail from"]').getAttribute('sandbox'), 'allow-popups allow-popups-to-escape-sandbox');
  for (const gone of ['script', 'form', 'input', 'svg', 'iframe', 'object', 'embed', 'base', 'link', 'video', 'audio', '[onload],[onerror],[onfocus],[ontoggle]', 'a[href^="javascript:"],a[href^="data:"]'])
    assert.equal(await frame.locator('body').locator(gone).count(), 0, gone);

  // As text, and with what was quoted, it is as harmless.
  await olu.page.getByRole('button', { name: 'As plain text' }).click();
  await olu.lines('plain part').waitFor();
  await olu.page.getByRole('button', { name: 'With formatting' }).click();
  await frame.getByText('hostile greetings').waitFor();
  await olu.page.goto(stage.hub.url + '/search?q=hostile');
  await olu.page.getByRole('link').filter({ hasText: 'Hostile <img' }).waitFor();
  await untouched();
  stage.end();
});

test('an attached page is downloaded, never shown on the hub’s own site', async (t) => {
  const box = await Mailbox.start(t);
  const stage = await Stage.open(t, { config: { inboxes: [box.inbox()] } });
  box.deliver(mail({ subject: 'Files', text: 'see files', files: [
    { name: 'page.html', type: 'text/html', data: '<script>top.__xss=1</script>' },
    { name: 'drawing.svg', type: 'image/svg+xml', data: '<svg xmlns="http://www.w3.org/2000/svg" onload="top.__xss=2"/>' },
  ] }));
  const { id } = await stage.hub.conversation('Files');
  const olu = await Agent.login(stage);
  await olu.goto(id);
  for (const name of ['page.html', 'drawing.svg']) {
    const link = olu.timeline.getByRole('link', { name });
    await link.waitFor();
    const answer = await olu.context.request.get(stage.hub.url + (await link.getAttribute('href')));
    assert.equal(answer.status(), 200);
    assert.match(answer.headers()['content-disposition'] ?? '', /^attachment/);
    assert.match(answer.headers()['content-security-policy'] ?? '', /sandbox|default-src 'none'/);
    assert.equal(answer.headers()['x-content-type-options'], 'nosniff');
  }
  stage.end();
});
