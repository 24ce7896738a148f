import { readFile } from 'node:fs/promises';

const source = await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What axe finds on a page or in a frame, as readable lines. Evaluated, not added as a script: the policy of the page rightly refuses that. */
export async function violations(target) {
  await target.evaluate(source);
  const found = await target.evaluate((only) => window.axe.run(document, { runOnly: { type: 'tag', values: only }, resultTypes: ['violations'], iframes: false }), tags);
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}\n    ${node.target.join(' ')}\n    ${node.html.slice(0, 160)}\n    ${node.failureSummary?.replaceAll('\n', ' ')}`));
}

/** What axe finds in the light and in the dark. */
export async function inBothLights(page) {
  const found = [];
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await page.waitForFunction((theme) => (document.documentElement.dataset.theme === 'dark') === (theme === 'dark'), colorScheme);
    // Colours that fade from one to the other are neither yet.
    await page.waitForFunction(() => document.getAnimations().every((one) => !(one instanceof CSSTransition)));
    found.push(...(await violations(page)).map((line) => `${colorScheme}: ${line}`));
  }
  return found;
}

/** True when nothing has to be scrolled sideways to be read. */
export const reflows = (page) => page.evaluate(() => {
  const wide = [...document.querySelectorAll('body *')].filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1) && getComputedStyle(node).visibility !== 'hidden' && !node.closest('.sr-only,[aria-hidden=true]') && !scrolls(node);
  });
  function scrolls(node) {
    // What is cut with an ellipsis, or has a scroller of its own, is meant to be.
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement) {
      const { overflowX, textOverflow } = getComputedStyle(up);
      if (textOverflow === 'ellipsis' || (/auto|scroll/.test(overflowX) && up.scrollWidth > up.clientWidth)) return true;
    }
    return false;
  }
  return {
    scrolls: document.documentElement.scrollWidth > innerWidth + 1,
    wide: wide.map((node) => `${node.tagName.toLowerCase()}.${String(node.className).slice(0, 80)}`).slice(0, 5),
  };
});
