import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Lock, Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useAgentName } from '../api/queries';
import type { SearchResponse_Hit } from '../gen/weftline/inbox/v1/inbox_pb';
import { called } from '../person/called';
import { readWords } from '../shell/address';
import { ChannelIcon } from '../ui/Channel';
import { Empty, Failed, Skeleton } from '../ui/State';
import { When } from '../ui/When';
import { longestQuery, useHits, useRested } from './hits';
import { Snippet } from './Snippet';

export function SearchPage() {
  // What validateSearch leaves out comes through unread here.
  const { q = '' } = readWords(useSearch({ strict: false }) as Record<string, unknown>);
  const [words, setWords] = useState(q);
  const navigate = useNavigate();
  const rested = useRested(words, 400);
  useEffect(() => void navigate({ to: '/search', search: rested.trim() ? { q: rested.trim() } : {}, replace: true }), [rested, navigate]);
  const { data, error, isFetching, refetch } = useHits(words, 50);
  return (
    <main className="scroll h-full" data-pane="main" tabIndex={-1}>
      <div className="mx-auto max-w-3xl p-5">
        <h1 className="mb-3 text-lg font-semibold">Search</h1>
        <div className="relative mb-4">
          <Search size={16} aria-hidden className="pointer-events-none absolute start-3 top-3 text-muted" />
          <input autoFocus type="search" dir="auto" aria-label="Search messages, notes and names" placeholder="Words that all occur: refund invoice ada" maxLength={longestQuery} value={words} onChange={(event) => setWords(event.target.value)} className="field min-h-10 ps-9!" />
        </div>
        {error && <Failed what="The search did not work." error={error} onRetry={() => void refetch()} />}
        <p role="status" className="sr-only">{data ? `${data.hits.length} ${data.hits.length === 1 ? 'result' : 'results'}` : ''}</p>
        {isFetching && !data && <Skeleton rows={4} />}
        {words.trim().length < 2 && <Empty icon={<Search size={20} aria-hidden />} title="Find anything that was said.">Messages, notes and names, over all channels.</Empty>}
        {data && words.trim().length >= 2 && data.hits.length === 0 && <Empty title="Nothing holds all these words.">Try fewer of them.</Empty>}
        <ul className="grid gap-2">{words.trim().length >= 2 && data?.hits.map((hit) => (hit.entry ? <Hit key={hit.entry.id} hit={hit} query={words} /> : null))}</ul>
      </div>
    </main>
  );
}

function Hit({ hit, query }: { hit: SearchResponse_Hit; query: string }) {
  const name = useAgentName();
  const entry = hit.entry!;
  const note = entry.body.case === 'note';
  const author = entry.body.case === 'message' || entry.body.case === 'note' ? entry.body.value.author : '';
  return (
    <li>
      <Link to="/c/$conversationId" params={{ conversationId: entry.conversationId }} search={{}} className="block rounded-xl border bg-panel px-4 py-2.5 hover:border-line-strong">
        <span className="flex flex-wrap items-center gap-x-2 text-xs text-muted">
          {note ? <Lock size={13} aria-label="Note" /> : <ChannelIcon channel={entry.channel} size={13} />}
          <b className="text-sm text-ink"><bdi>{called(hit.customerName, entry.customerId)}</bdi></b>
          {author && <span>{note ? 'note by' : 'answered by'} <bdi>{name(author)}</bdi></span>}
          <When at={entry.recordedAt} className="ms-auto" />
        </span>
        <span className="mt-0.5 block break-words"><Snippet text={hit.snippet} query={query} /></span>
      </Link>
    </li>
  );
}
