/**
 * Holds the next request that fits the pattern on its way out. seen resolves
 * when it is there; release lets it pass.
 */
export async function hold(page, pattern) {
  let arrived, release;
  const seen = new Promise((resolve) => { arrived = resolve; });
  const open = new Promise((resolve) => { release = resolve; });
  await page.route(pattern, async (route) => {
    arrived();
    await open;
    await route.continue();
  }, { times: 1 });
  return { seen, release };
}
