import { backoff } from './backoff'
import type { ClientFrame, ServerFrame } from './protocol'

const silence = 45_000

// Link is a websocket that never gives up. It comes back after a random time,
// or at once when the page is looked at or the network returns.
export class Link {
  private ws?: WebSocket
  private attempt = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private watch: ReturnType<typeof setTimeout> | undefined
  private after = 0 // what the hub asked us to wait
  private held = false

  constructor(
    private url: string,
    private hello: () => ClientFrame,
    private heard: (f: ServerFrame) => void,
    private state: (up: boolean) => void,
  ) {
    const wake = () => {
      if (document.visibilityState === 'visible') this.now()
    }
    window.addEventListener('online', wake)
    window.addEventListener('focus', wake)
    document.addEventListener('visibilitychange', wake)
  }

  send(f: ClientFrame): boolean {
    if (this.ws?.readyState !== WebSocket.OPEN) return false
    this.ws.send(JSON.stringify(f))
    return true
  }

  // Drop the connection, if any, and connect again.
  restart() {
    this.held = false
    this.attempt = 0
    this.drop()
    this.open()
  }

  // Stay away until restart.
  hold() {
    this.held = true
    this.drop()
  }

  wait(ms: number) {
    this.after = ms
  }

  private now() {
    if (!this.ws && !this.held && !this.after) this.open()
  }

  private drop() {
    const ws = this.ws
    this.ws = undefined
    clearTimeout(this.timer)
    clearTimeout(this.watch)
    if (ws) {
      ws.onclose = ws.onmessage = ws.onopen = null
      ws.close()
      this.state(false)
    }
  }

  private open() {
    clearTimeout(this.timer)
    const ws = (this.ws = new WebSocket(this.url))
    const alive = () => {
      clearTimeout(this.watch)
      this.watch = setTimeout(() => {
        this.drop()
        this.again()
      }, silence)
    }
    alive()
    ws.onopen = () => ws.send(JSON.stringify(this.hello()))
    ws.onmessage = (e) => {
      alive()
      let f: ServerFrame
      try {
        f = JSON.parse(String(e.data)) as ServerFrame
      } catch {
        return
      }
      if (f.type === 'welcome') this.attempt = 0
      if (f.type === 'bye') this.after = f.retry_after_ms
      this.heard(f)
    }
    ws.onclose = () => {
      if (this.ws !== ws) return
      this.ws = undefined
      clearTimeout(this.watch)
      this.state(false)
      this.again()
    }
  }

  private again() {
    if (this.held) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.after = 0
      this.open()
    }, this.after || backoff(this.attempt++))
  }
}
