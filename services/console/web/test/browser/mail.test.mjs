// Hostile mail in a real browser: only a browser's own parser shows what a
// browser would do. Needs chromium; CHROMIUM names it when it is elsewhere.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
let browser, page;
const requests = [];

before(async () => {
  const bundle = await build({
    stdin: { contents: "import { prepare } from './src/timeline/mail'; window.prepare = (html, quoted, inline = {}, remote = {}) => prepare(html, quoted, new Map(Object.entries(inline)), new Map(Object.entries(remote)));", resolveDir: root, loader: 'ts' },
    bundle: true, write: false, format: 'iife',
  });
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-background-networking'] });
  page = await browser.newPage();
  await page.route('**', (route) => {
    requests.push(route.request().url());
    return route.fulfill({ status: 200, contentType: 'text/html', body: '<!doctype html><title>console</title>' });
  });
  await page.goto('http://console.test/');
  await page.addScriptTag({ content: bundle.outputFiles[0].text });
  requests.length = 0;
});
after(() => browser?.close());

const hostile = `<img src=x onerror="parent.hacked=1"><script>parent.hacked=2</script><a href="javascript:parent.hacked=3">a</a><a href="/logout">b</a>
<form action="https://t.test/form"><input autofocus onfocus="parent.hacked=4"></form><iframe src="https://t.test/frame"></iframe><object data="https://t.test/o"></object>
<img src="https://t.test/spy.gif" width="1"><img srcset="https://t.test/set.png 2x" src="https://t.test/big.png" alt="Big"><svg onload="parent.hacked=5"><image href="https://t.test/svg.png"/></svg>
<div style="background:url(https://t.test/bg.png)">x</div><style>@import "https://t.test/s.css"; body{background:url(https://t.test/body.png)}</style><link rel=stylesheet href="https://t.test/l.css"><meta http-equiv=refresh content="0;url=https://t.test/"><base href="https://t.test/">
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=parent.hacked=6&gt;"><video poster="https://t.test/poster.png"><audio src="https://t.test/a.mp3" autoplay>`;

test('runs nothing, asks the network for nothing, leads nowhere inside', async () => {
  const { html, remote } = await page.evaluate((mail) => window.prepare(mail, true), hostile);
  const body = html.slice(html.indexOf('<body'));
  assert.doesNotMatch(body, /<script|javascript:|<form|<input|<iframe|<object|<svg|<base|<meta|<link|href="\/|src="https?:/i);
  assert.deepEqual(remote, ['https://t.test/big.png']);
  // Shown as the console shows it, and then with the worst text, as if everything before the frame had failed.
  for (const srcdoc of [html, html.replace(/<body[^>]*>/, (tag) => tag + hostile)]) {
    await page.evaluate((doc) => {
      document.body.innerHTML = '';
      const frame = document.createElement('iframe');
      frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
      frame.srcdoc = doc;
      document.body.append(frame);
      return new Promise((done) => { frame.onload = done; });
    }, srcdoc);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(requests, []);
  }
});

test('shows pictures that came with it or were asked for', async () => {
  const data = 'data:image/png;base64,AAAA';
  const { html, remote } = await page.evaluate(([mail, pixel]) => window.prepare(mail, true, { 'logo@x': pixel }, { 'https://a.test/i.png': pixel }), ['<img src="cid:logo@x"><img data-remote-src="https://a.test/i.png"><img src="cid:gone" alt="Lost">', data]);
  assert.equal(html.split(data).length, 3);
  assert.match(html, /class="wl-picture">Lost/);
  assert.deepEqual(remote, []);
});

test('keeps tables and colours, says where a lying link leads', async () => {
  const { html } = await page.evaluate((mail) => window.prepare(mail, true), '<table width="100%"><tr><td style="background:#0b5f5a;padding:12px" colspan="2" align="center">x</td></tr></table><a href="https://evil.test/a" data-mismatch="1">bank.test</a>');
  assert.match(html, /<table width="100%">/);
  assert.match(html, /colspan="2"/);
  assert.match(html, /style="background:\s?#0b5f5a/);
  assert.match(html, /leads to evil\.test/);
});

test('folds what was quoted', async () => {
  const mail = '<p>new</p><div class="gmail_quote">old</div><blockquote type="cite">older</blockquote>';
  assert.doesNotMatch((await page.evaluate((m) => window.prepare(m, false), mail)).html, /old/);
  assert.match((await page.evaluate((m) => window.prepare(m, true), mail)).html, /old[\s\S]*older/);
});
