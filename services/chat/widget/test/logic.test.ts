import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoff } from '../src/backoff'
import { keep } from '../src/keep'
import { linkify } from '../src/linkify'
import { Outbox } from '../src/outbox'
import type { ClientFrame, Item } from '../src/protocol'
import { Transcript } from '../src/transcript'

// A small seeded generator: every run sees the same cases.
function random(seed: number) {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0
    return seed / 2 ** 32
  }
}

const nowhere = () => {
  throw new Error('no storage')
}

test('backoff stays within its bounds for ever', () => {
  for (let n = 0; n < 5000; n++) {
    assert.ok(backoff(n, () => 0) >= 100)
    assert.ok(backoff(n, () => 1) <= 30_000)
  }
  assert.equal(backoff(0, () => 1), 500)
})

test('transcript: any order, any repetition, one sorted list', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const rnd = random(seed)
    const items: Item[] = Array.from({ length: 12 }, (_, i) => {
      const own = rnd() < 0.5
      return { id: 'm' + i, position: String(100 + i), from: own ? 'you' : 'us', text: 't' + i, at: '', ...(own ? { client_id: 'c' + i } : {}) }
    })
    const t = new Transcript()
    for (const i of items) {
      // Own messages are often shown before they have an id or a position.
      if (i.client_id && rnd() < 0.7) t.add({ from: 'you', text: i.text, at: '', client_id: i.client_id }, 'sending')
    }
    const feed = [...items, ...items.filter(() => rnd() < 0.5)].sort(() => rnd() - 0.5)
    for (const i of feed) t.add(i)
    assert.deepEqual(t.entries().map((e) => e.id), items.map((i) => i.id), 'seed ' + seed)
  }
})

test('transcript: states never go back, unsent comes last, unread counts', () => {
  const t = new Transcript()
  t.add({ from: 'you', text: 'a', at: '1', client_id: 'c1' }, 'sending')
  t.add({ id: 'r1', position: '2', from: 'us', text: 'b', at: '2' })
  assert.deepEqual(t.entries().map((e) => e.key), ['r1', 'c1'])
  t.set('c1', 'sent')
  t.add({ id: 'm1', position: '1', from: 'you', text: 'a', at: '1', client_id: 'c1' })
  assert.equal(t.entries()[0].state, 'delivered')
  t.set('c1', 'sent')
  assert.equal(t.entries()[0].state, 'delivered')
  assert.equal(t.unread(''), 1)
  assert.equal(t.unread('2'), 0)
  assert.equal(t.lastOfUs(), '2')
  t.advance('2')
  t.advance('1')
  assert.equal(t.cursor, '2')
})

test('outbox: one at a time, in order, until acknowledged, never as somebody else', () => {
  const sent: ClientFrame[] = []
  let up = true
  const box = new Outbox(keep('x.', nowhere), (f) => {
    if (up) sent.push(f)
    return up
  })
  const ids = () => sent.map((f) => ('client_id' in f ? f.client_id : ''))
  box.add({ clientId: 'a', kind: 'message', text: '1', at: '1' })
  box.add({ clientId: 'b', kind: 'message', text: '2', at: '2' })
  assert.deepEqual(ids(), [])
  box.ready('ada')
  assert.deepEqual(ids(), ['a'])
  box.lost()
  box.ready('ada')
  assert.deepEqual(ids(), ['a', 'a'])
  box.done('a')
  assert.deepEqual(ids(), ['a', 'a', 'b'])
  box.lost()
  box.ready('bob')
  assert.deepEqual(ids(), ['a', 'a', 'b'])
  assert.deepEqual(box.mine(), [])
  up = false
  box.ready('ada')
  assert.deepEqual(box.mine().map((w) => w.clientId), ['b'])
  up = true
  box.ready('ada')
  box.done('b')
  assert.deepEqual(box.list(), [])
})

test('linkify: only http and https', () => {
  assert.deepEqual(linkify('see https://a.example/x?y=1, ok'), [{ text: 'see ' }, { text: 'https://a.example/x?y=1', href: 'https://a.example/x?y=1' }, { text: ', ok' }])
  for (const s of ['javascript:alert(1)', 'data:text/html,x', '<img src=x onerror=alert(1)>', 'https://']) {
    for (const p of linkify(s)) assert.equal(p.href, undefined)
    assert.equal(linkify(s).map((p) => p.text).join(''), s)
  }
})
