const last = new Map<string, Promise<unknown>>();

/**
 * Gives an order once those given before it for the same thing are answered, however
 * that went: what was meant last is what holds, also where answers take long.
 */
export function inTurn<T>(thing: string, order: () => Promise<T>): Promise<T> {
  const turn = (last.get(thing) ?? Promise.resolve()).then(order, order);
  const over = turn.catch(() => {}).then(() => {
    if (last.get(thing) === over) last.delete(thing);
  });
  last.set(thing, over);
  return turn;
}
