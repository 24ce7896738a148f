// Full jitter: half a second at first, thirty at most, for ever.
export function backoff(attempt: number, random = Math.random): number {
  return Math.max(100, random() * Math.min(30_000, 500 * 2 ** Math.min(attempt, 10)))
}
