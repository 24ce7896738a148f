// A provider of text messages of the test's own. It speaks Twilio's API as far as it is documented.
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { until } from './until.mjs';

const account = 'AC00000000000000000000000000000001';
const token = '0123456789abcdef0123456789abcdef';
const number = '+15005550006';

export class Texts {
  /** What was sent: Twilio's own parameters, as To and Body. */
  sent = [];
  #made = 0;

  static async start(t) {
    const texts = new Texts();
    const server = createServer((request, response) => {
      const asked = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;
      if (request.headers.authorization !== asked) return response.writeHead(401).end();
      if (request.method !== 'POST' || request.url !== `/2010-04-01/Accounts/${account}/Messages.json`) return response.writeHead(404).end();
      let body = '';
      request.on('data', (part) => { body += part; });
      request.on('end', () => {
        texts.sent.push(Object.fromEntries(new URLSearchParams(body)));
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ sid: `SM${String(texts.sent.length).padStart(32, '0')}`, status: 'queued' }));
      });
    });
    await new Promise((up) => server.listen(0, '127.0.0.1', up));
    t.after(() => new Promise((down) => { server.closeAllConnections(); server.close(down); }));
    texts.url = `http://127.0.0.1:${server.address().port}`;
    return texts;
  }

  /** The account's number as an inbox of a hub's configuration, which must allow calls to 127.0.0.1. */
  inbox(id = 'texts', name = 'Texts') {
    return { id, channel: 'sms', name, settings: { provider: 'twilio', account, api_key: token, number, region: 'US', api_url: this.url } };
  }

  /** Posts what a phone sent to the number, signed as Twilio signs ("Validating signatures from Twilio"). */
  async says(hub, from, text, inbox = 'texts') {
    const target = `${hub.url}/hooks/sms/${inbox}`;
    const form = { MessageSid: `SM${String(++this.#made).padStart(32, 'f')}`, From: from, To: number, Body: text, NumMedia: '0' };
    const signed = target + Object.keys(form).sort().map((key) => key + form[key]).join('');
    const answer = await fetch(target, {
      method: 'POST', body: new URLSearchParams(form),
      headers: { 'x-twilio-signature': createHmac('sha1', token).update(signed).digest('base64') },
    });
    if (!answer.ok) throw new Error(`the hub answers ${answer.status} to a text message: ${await answer.text()}`);
  }

  /** The first message sent that has these words. */
  caught(words, options) {
    return until(`a text message with “${words}”`, () => this.sent.find(({ Body }) => Body.includes(words)), options);
  }
}
