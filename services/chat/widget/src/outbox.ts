import type { Keep } from './keep'
import type { Answers, ClientFrame, FileItem } from './protocol'

export interface Waiting {
  clientId: string
  kind: 'message' | 'email' | 'phone' | 'form'
  text: string // the address or number, where one is left; JSON, for the form
  invite?: string // what the page had said by itself
  files?: FileItem[]
  at: string
  who: string // whose it is: never sent as somebody else
}

// Outbox keeps what was written until the hub has acknowledged it: over lost
// connections, reloads and restarts of the browser. One at a time, in order;
// sending again is harmless, because the hub knows the client id. Each item has
// its own key, so that tabs do not overwrite one another.
export class Outbox {
  private flying = ''
  private timer: ReturnType<typeof setTimeout> | undefined
  private who = ''

  constructor(private keep: Keep, private send: (f: ClientFrame) => boolean) {}

  list(): Waiting[] {
    const all: Waiting[] = []
    for (const k of this.keep.keys()) {
      if (!k.startsWith('out.')) continue
      try {
        const w = JSON.parse(this.keep.get(k)) as Waiting
        if (typeof w.clientId === 'string' && typeof w.text === 'string') all.push(w)
      } catch {
        this.keep.remove(k)
      }
    }
    // The answers to the form before what may be said only after them.
    const rank = (w: Waiting) => (w.kind === 'form' ? 0 : 1)
    return all.sort((a, b) => rank(a) - rank(b) || (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  }

  mine(): Waiting[] {
    return this.list().filter((w) => w.who === this.who)
  }

  add(w: Omit<Waiting, 'who'>) {
    this.put({ ...w, who: this.who })
    this.pump()
  }

  private put(w: Waiting) {
    this.keep.set('out.' + w.clientId, JSON.stringify(w))
  }

  // The connection stands, as this handle. What was written before anybody was known is his.
  ready(who: string) {
    for (const w of this.list()) if (!w.who) this.put({ ...w, who })
    this.who = who
    this.flying = ''
    clearTimeout(this.timer)
    this.pump()
  }

  lost() {
    this.flying = ''
    clearTimeout(this.timer)
  }

  // Nobody is known any more: what is written now belongs to whoever comes next.
  leave() {
    this.lost()
    this.who = ''
  }

  done(clientId: string) {
    this.keep.remove('out.' + clientId)
    if (this.flying === clientId) this.flying = ''
    this.pump()
  }

  later(ms: number) {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.flying = ''
      this.pump()
    }, ms)
  }

  of(clientId: string): Waiting | undefined {
    return this.list().find((w) => w.clientId === clientId)
  }

  private pump() {
    if (this.flying || !this.who) return
    const next = this.mine()[0]
    if (!next) return
    const frame: ClientFrame = next.kind === 'email'
      ? { type: 'email', client_id: next.clientId, address: next.text }
      : next.kind === 'phone' ? { type: 'phone', client_id: next.clientId, phone: next.text }
      : next.kind === 'form' ? { type: 'form', client_id: next.clientId, ...(JSON.parse(next.text) as Answers) } : { type: 'message', client_id: next.clientId, text: next.text, attachments: next.files?.map((f) => f.id), invite: next.invite }
    if (this.send(frame)) this.flying = next.clientId
  }
}
