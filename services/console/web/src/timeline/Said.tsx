import { Fragment, memo } from 'react';

const link = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/gi;

/** Plain text as it was written, with links that say where they go. */
export const Said = memo(function Said({ text }: { text: string }) {
  const parts: React.ReactNode[] = [];
  let from = 0;
  for (const match of text.matchAll(link)) {
    parts.push(<Fragment key={from}>{text.slice(from, match.index)}</Fragment>);
    parts.push(<a key={match.index + 'a'} href={match[0]} target="_blank" rel="noopener noreferrer nofollow"><bdi>{match[0]}</bdi></a>);
    from = match.index + match[0].length;
  }
  parts.push(<Fragment key={from}>{text.slice(from)}</Fragment>);
  return <div dir="auto" className="said">{parts}</div>;
});
