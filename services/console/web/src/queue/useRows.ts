import { useCallback, useEffect, useState, type RefObject } from 'react';

/** Rows drawn beyond each edge, so that a quick scroll shows no gap. */
const beyond = 6;

/**
 * Which rows of a list are in view. All rows are equally high, so nothing has
 * to be measured: this is all of a virtual list that a queue needs.
 */
export function useRows(box: RefObject<HTMLElement | null>, count: number, height: number): { first: number; last: number; reveal(index: number): void } {
  const [view, setView] = useState({ top: 0, room: 900 });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = (): void => setView({ top: Math.floor(element.scrollTop / height) * height, room: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [box, height]);
  const reveal = useCallback((index: number): void => {
    const element = box.current;
    if (!element) return;
    const top = index * height;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + height > element.scrollTop + element.clientHeight) element.scrollTop = top + height - element.clientHeight;
  }, [box, height]);
  const first = Math.max(0, Math.floor(view.top / height) - beyond);
  const last = Math.min(count - 1, Math.ceil((view.top + view.room) / height) + beyond);
  return { first, last, reveal };
}
