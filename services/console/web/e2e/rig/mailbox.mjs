// A mailbox of the test's own: what comes in is put there, what goes out is caught.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { until } from './until.mjs';

const binary = process.env.WEFTLINE_TEST_MAILBOX;

export class Mailbox {
  sent = [];

  static async start(t) {
    if (!binary) throw new Error('WEFTLINE_TEST_MAILBOX names the mail server; .ci/browser builds it');
    const box = new Mailbox();
    box.child = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => new Promise((gone) => { box.child.once('exit', gone); box.child.stdin.end(); }));
    createInterface({ input: box.child.stdout }).on('line', (line) => {
      const value = JSON.parse(line);
      if (typeof value === 'string') box.sent.push(value);
      else box.ports = value;
    });
    await until('the mail server listens', () => box.ports);
    return box;
  }

  /** The mailbox as an inbox of a hub's configuration. */
  inbox(id = 'support', name = 'Support') {
    const address = 'support@desk.test';
    return { id, channel: 'email', name, settings: {
      address,
      imap_host: '127.0.0.1', imap_port: String(this.ports.imap), imap_tls: 'none', imap_username: address, imap_password: 'mailbox', imap_poll: '10s',
      smtp_host: '127.0.0.1', smtp_port: String(this.ports.smtp), smtp_tls: 'none', smtp_username: address, smtp_password: 'mailbox',
    } };
  }

  /** Puts a mail into the mailbox. lines: the whole mail; line ends become CRLF. */
  deliver(text) {
    this.child.stdin.write(JSON.stringify(text.replaceAll(/\r?\n/g, '\r\n')) + '\n');
  }

  /** The first mail sent that has these words. */
  caught(words) {
    return until(`a sent mail with “${words}”`, () => this.sent.find((mail) => mail.includes(words)));
  }
}

let made = 0;

/** A mail as a mail program writes it. html is optional; files: [{name, type, data}]. */
export function mail({ from = 'Ada Obi <ada@example.test>', subject = 'Hello', text = '', html = '', files = [], headers = '' }) {
  const id = `${Date.now()}.${++made}@example.test`;
  const part = (type, body) => `Content-Type: ${type}; charset=utf-8\nContent-Transfer-Encoding: base64\n\n${wrap(body)}\n`;
  const alternative = html
    ? `Content-Type: multipart/alternative; boundary=alt\n\n--alt\n${part('text/plain', text)}--alt\n${part('text/html', html)}--alt--\n`
    : part('text/plain', text);
  const whole = files.length === 0 ? alternative : `Content-Type: multipart/mixed; boundary=mix\n\n--mix\n${alternative}${files.map(({ name, type, data }) =>
    `--mix\nContent-Type: ${type}; name="${name}"\nContent-Disposition: attachment; filename="${name}"\nContent-Transfer-Encoding: base64\n\n${wrap(data)}\n`).join('')}--mix--\n`;
  return `From: ${from}\nTo: Support <support@desk.test>\nSubject: ${subject}\nDate: ${new Date().toUTCString()}\nMessage-ID: <${id}>\nMIME-Version: 1.0\n${headers}${whole}`;
}

const wrap = (body) => Buffer.from(body).toString('base64').replaceAll(/(.{76})/g, '$1\n');
