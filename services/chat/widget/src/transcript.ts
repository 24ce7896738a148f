import type { Item } from './protocol'

export type State = 'sending' | 'sent' | 'failed' | 'delivered' | 'read' | ''

export interface Entry extends Item { key: string; state: State }

const rank: Record<State, number> = { sending: 0, failed: 1, '': 1, sent: 2, delivered: 3, read: 4 }

// Transcript holds every message once, however often and in whatever order it
// arrives: live, listed, or typed here. Messages with a position are in its
// order; one without stays where it came until the transcript places it; what
// is not yet stored by the hub comes last.
export class Transcript {
  private list: Entry[] = []
  private byId = new Map<string, Entry>()
  private byClient = new Map<string, Entry>()
  cursor = ''

  add(item: Item, state?: State): Entry {
    const known = (item.id && this.byId.get(item.id)) || (item.client_id && this.byClient.get(item.client_id)) || undefined
    const next: State = state ?? (item.from === 'you' ? (item.state === 'read' ? 'read' : item.position ? 'delivered' : 'sent') : (item.state as State) || '')
    const entry: Entry = known ?? { ...item, key: item.client_id || item.id || item.at, state: next }
    if (known) {
      // What is listed is the truth; a live copy never takes anything away.
      const { state: _, ...rest } = item
      for (const [k, v] of Object.entries(rest)) if (v !== undefined && v !== '') (known as unknown as Record<string, unknown>)[k] = v
      if (rank[next] >= rank[known.state]) known.state = next
    }
    if (entry.id) this.byId.set(entry.id, entry)
    if (entry.client_id) this.byClient.set(entry.client_id, entry)
    if (!known || item.position) this.place(entry)
    return entry
  }

  private place(entry: Entry) {
    const was = this.list.indexOf(entry)
    if (was >= 0) this.list.splice(was, 1)
    const p = entry.position
    const at = p ? this.list.findIndex((e) => e.position && e.position > p) : -1
    if (at < 0) this.list.push(entry)
    else this.list.splice(at, 0, entry)
  }

  set(clientId: string, state: State): Entry | undefined {
    const e = this.byClient.get(clientId)
    if (e && (state === 'failed' || state === 'sending' || rank[state] > rank[e.state])) e.state = state
    return e
  }

  advance(cursor: string) {
    if (cursor > this.cursor) this.cursor = cursor
  }

  entries(): Entry[] {
    const waits = (e: Entry) => e.from === 'you' && (e.state === 'sending' || e.state === 'failed')
    return [...this.list.filter((e) => !waits(e)), ...this.list.filter(waits)]
  }

  // The last position of ours, and how many of ours come after a position.
  lastOfUs(): string {
    return this.list.reduce((p, e) => (e.from === 'us' && e.position && e.position > p ? e.position : p), '')
  }

  unread(read: string): number {
    return this.list.filter((e) => e.from === 'us' && e.state !== 'read' && (e.position ?? '') > read).length
  }

  clear() {
    this.list = []
    this.byId.clear()
    this.byClient.clear()
    this.cursor = ''
  }
}
