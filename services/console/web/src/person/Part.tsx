/** A titled part of the person's pane. */
export function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return <section className="mb-5"><h3 className="mb-1.5 text-xs font-semibold text-muted">{title}</h3>{children}</section>;
}
