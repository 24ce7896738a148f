// A shop of another origin with a strict policy of its own.
import { createServer } from 'node:http';

/** Serves a page that allows itself and the hub's scripts and frames, and collects reports of violations. hub() is asked when a page is served. */
export async function site(t, hub, inbox, { attributes = '', dir = 'ltr', lang = 'en' } = {}) {
  const reports = [];
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (part) => { body += part; });
      request.on('end', () => { reports.push(body); response.writeHead(204).end(); });
      return;
    }
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'self'; script-src 'self' ${hub()}; frame-src ${hub()}; report-uri /reports`,
    });
    response.end(`<!doctype html><html lang="${lang}" dir="${dir}"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title><main><h1>A strict shop</h1></main><script async ${attributes} src="${hub()}/chat/${inbox}/loader.js"></script>`);
  });
  await new Promise((up) => server.listen(0, '127.0.0.1', up));
  t.after(() => new Promise((down) => { server.closeAllConnections(); server.close(down); }));
  // Another origin of the same site: private windows, as a test's are, keep nothing for frames of other sites.
  return { url: `http://127.0.0.1:${server.address().port}`, reports };
}

/** Opens closed shadow roots for the test's eyes alone, and notes what a policy forbids. */
export const eyes = () => {
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) { return attach.call(this, { ...init, mode: 'open' }); };
  window.__violations = [];
  document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
};
