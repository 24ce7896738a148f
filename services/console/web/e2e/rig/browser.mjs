// One browser per test file, one context per person.
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Hub } from './hub.mjs';

const args = [
  '--no-sandbox', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });

/** What a person's browser is like; the same everywhere so that pictures and times are. */
export const person = { locale: 'en-GB', timezoneId: 'UTC', viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', colorScheme: 'light' };

/** Collects what a page must never do: throw, or ask another host for anything. */
export function watch(page, errors) {
  page.on('pageerror', (error) => errors.push(`page error: ${error.stack ?? error}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) errors.push(`console: ${message.text()}`);
  });
  return page;
}

/**
 * A stage for one test: its hub, a browser and everything that must be closed
 * when the curtain falls. A failed test leaves a picture of every page.
 */
export class Stage {
  errors = [];
  pages = [];

  static async open(t, options = {}) {
    const stage = new Stage();
    stage.hub = await Hub.start(options);
    stage.browser = await launch();
    t.after(async () => {
      // node:test does not tell a hook how its test went; a picture costs little.
      if (!stage.passed) await stage.#picture(t.name);
      await stage.browser.close();
      await stage.hub.stop();
    });
    return stage;
  }

  /** A fresh browser profile: another person, or another device. */
  async person(options = {}) {
    const context = await this.browser.newContext({ ...person, ...options });
    context.setDefaultTimeout(20_000);
    context.on('page', (page) => {
      this.pages.push(page);
      watch(page, this.errors);
    });
    return context;
  }

  /** Say it at the end of a test: it passed, and no page threw meanwhile. */
  end() {
    if (this.errors.length > 0) throw new Error(this.errors.join('\n'));
    this.passed = true;
  }

  async #picture(name) {
    const dir = process.env.WEFTLINE_TEST_ARTEFACTS ?? (await mkdtemp(join(tmpdir(), 'weftline-e2e-failed-')));
    await mkdir(dir, { recursive: true });
    const stem = name.replaceAll(/[^a-z0-9]+/gi, '-').slice(0, 60);
    for (const [i, page] of this.pages.entries()) await page.screenshot({ path: join(dir, `${stem}-${i}.png`) }).catch(() => {});
    console.error(`pictures of the failure: ${dir}/${stem}-*.png${this.errors.length > 0 ? '\n' + this.errors.join('\n') : ''}\nhub said:\n${this.hub.logs().slice(-3_000)}`);
  }
}
