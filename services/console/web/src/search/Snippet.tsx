import { Fragment } from 'react';

/** A place that matched, with the words of the query marked. */
export function Snippet({ text, query }: { text: string; query: string }) {
  const words = query.trim().split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (words.length === 0) return <bdi>{text}</bdi>;
  const pieces = text.split(new RegExp(`(${words.join('|')})`, 'giu'));
  return <span dir="auto">{pieces.map((piece, i) => (i % 2 === 1 ? <mark key={i} className="rounded bg-note px-0.5 text-note-ink">{piece}</mark> : <Fragment key={i}>{piece}</Fragment>))}</span>;
}
