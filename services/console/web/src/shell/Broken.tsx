import type { ErrorComponentProps } from '@tanstack/react-router';
import { Button } from '../ui/Button';

/** A screen that failed takes nothing else with it: navigation, drafts and the outbox go on. */
export function Broken({ error, reset }: ErrorComponentProps) {
  return (
    <main role="alert" className="mx-auto max-w-lg p-6 pt-16">
      <h1 className="text-lg font-semibold">This screen stopped working.</h1>
      <p className="mt-1 text-muted">What you typed is kept. The reason, for whoever mends it: <code className="break-words">{error instanceof Error ? error.message : String(error)}</code></p>
      <p className="mt-4 flex gap-2"><Button look="primary" onClick={reset}>Try again</Button><Button onClick={() => location.reload()}>Reload the page</Button></p>
    </main>
  );
}
