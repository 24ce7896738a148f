import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { inbox } from '../api/client';

/** Longest query the hub takes, characters. */
export const longestQuery = 200;

/** The value once it has rested for ms. */
export function useRested<T>(value: T, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}

/** Entries that hold all words. Nothing is asked for fewer than two characters. */
export function useHits(words: string, pageSize: number) {
  const query = useRested(words.trim().slice(0, longestQuery), 180);
  return useQuery({
    queryKey: ['search', query, pageSize],
    queryFn: () => inbox.search({ query, pageSize }),
    enabled: query.length >= 2,
    staleTime: 5_000,
    placeholderData: (before) => (query.length >= 2 ? before : undefined),
  });
}
