export function Kbd({ children }: { children: string }) {
  return <kbd className="rounded-md border border-b-2 bg-panel px-1.5 py-0.5 font-sans text-xs font-medium whitespace-nowrap">{children}</kbd>;
}
