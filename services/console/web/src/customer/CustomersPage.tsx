import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Users } from 'lucide-react';
import { inbox } from '../api/client';
import { called } from '../person/called';
import { Suggestions } from '../person/Suggestions';
import { Avatar } from '../ui/Avatar';
import { Button } from '../ui/Button';
import { ChannelIcon } from '../ui/Channel';
import { Empty, Failed, Skeleton } from '../ui/State';
import { When } from '../ui/When';

export function CustomersPage() {
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['customers'],
    queryFn: ({ pageParam }) => inbox.listCustomers({ pageSize: 50, pageToken: pageParam }),
    initialPageParam: '',
    getNextPageParam: (last) => last.nextPageToken || undefined,
    staleTime: 0,
  });
  const customers = data?.pages.flatMap((page) => page.customers) ?? [];
  return (
    <main className="scroll h-full" data-pane="main" tabIndex={-1}>
      <div className="mx-auto max-w-3xl p-5">
        <h1 className="mb-3 text-lg font-semibold">People</h1>
        <Suggestions />
        {error && <Failed what="The customers could not be loaded." error={error} onRetry={() => void refetch()} />}
        {isPending && <Skeleton rows={6} height={56} />}
        {data && customers.length === 0 && <Empty icon={<Users size={20} aria-hidden />} title="Nobody has written yet.">Customers appear here with their first message.</Empty>}
        {customers.length > 0 && (
          <ul className="overflow-hidden rounded-xl border bg-panel">
            {customers.map((customer) => (
              <li key={customer.id} className="border-b last:border-b-0">
                <Link to="/customers/$customerId" params={{ customerId: customer.id }} className="flex min-h-14 items-center gap-3 px-4 py-2 hover:bg-sunken">
                  <Avatar name={called(customer.name, customer.id)} of={customer.id} size={34} />
                  <span className="min-w-0 flex-1">
                    <span className="block truncate font-medium"><bdi>{customer.erased ? 'Erased customer' : called(customer.name, customer.id)}</bdi></span>
                    <span className="flex gap-3 overflow-hidden text-[13px] text-muted">{customer.handles.map((handle) => <span key={handle.id} className="flex min-w-0 items-center gap-1"><ChannelIcon channel={handle.kind} size={12} />{handle.kind === 'chat' ? 'visitor' : <bdi dir="ltr" className="truncate">{handle.address}</bdi>}</span>)}</span>
                  </span>
                  <When at={customer.lastAt} className="text-xs text-muted" />
                </Link>
              </li>
            ))}
          </ul>
        )}
        {hasNextPage && <div className="mt-4 text-center"><Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{isFetchingNextPage ? 'Loading…' : 'Show more'}</Button></div>}
      </div>
    </main>
  );
}
