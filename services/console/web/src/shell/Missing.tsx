import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Empty } from '../ui/State';

export function Missing() {
  return (
    <main className="h-full">
      <h1 className="sr-only">Not found</h1>
      <Empty icon={<Compass size={22} aria-hidden />} title="There is nothing at this address.">
        <Link to="/search" className="text-accent-text underline">Search</Link> or go <Link to="/inbox" className="text-accent-text underline">to the inbox</Link>.
      </Empty>
    </main>
  );
}
