/**
 * Waits for a condition, never for a time: asks again until it holds and
 * returns what it answered. Refused connections count as "not yet".
 */
export async function until(what, condition, { timeout = 20_000 } = {}) {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      if (!(error instanceof TypeError) && !/ECONNREFUSED|fetch failed/.test(String(error))) throw error;
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${timeout} ms in vain until ${what}`, { cause: last });
    await new Promise((again) => setTimeout(again, 20));
  }
}
