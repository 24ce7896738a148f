/** Moves the focus to the next pane (F6). A pane is anything with data-pane that can take focus. */
export function cyclePane(step: 1 | -1): void {
  const panes = [...document.querySelectorAll<HTMLElement>('[data-pane]')].filter((pane) => pane.offsetParent !== null || pane.getClientRects().length > 0);
  if (panes.length === 0) return;
  // The innermost: the composer lies within the timeline's pane.
  const at = panes.findIndex((pane) => pane === document.activeElement?.closest('[data-pane]'));
  const next = panes[(at + step + panes.length) % panes.length]!;
  const inside = next.querySelector<HTMLElement>('[data-pane-focus]');
  (inside ?? next).focus();
}
