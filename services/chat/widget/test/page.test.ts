import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closedText } from '../src/hours'
import { matches } from '../src/invite'
import { keep } from '../src/keep'
import { Outbox } from '../src/outbox'
import { Keeper, labels } from '../src/page'
import type { ClientFrame } from '../src/protocol'
import { choose, fill, rtl, speak, words } from '../src/words'
import * as ar from '../src/words-ar'
import * as de from '../src/words-de'
import * as es from '../src/words-es'
import * as fr from '../src/words-fr'
import * as he from '../src/words-he'
import * as ja from '../src/words-ja'
import * as pt from '../src/words-pt'

test('the first wish there are words for decides, in the loader as in the frame', () => {
  for (const [wishes, want] of [
    [['fr'], 'fr'], [['pt-BR'], 'pt'], [['', 'de_AT'], 'de'], [[undefined, 'tlh', 'HE-il'], 'he'], [['iw'], 'he'], [['tlh'], 'en'], [[], 'en'],
    [['constructor', 'ja'], 'ja'],
  ] as const) {
    assert.equal(choose([...wishes]), want, wishes.join())
    assert.equal(labels(...wishes)[0], want, wishes.join())
    assert.equal(labels(...wishes)[1].length, 4)
  }
  assert.deepEqual(['ar', 'he', 'en', 'ja'].map(rtl), [true, true, false, false])
})

test('every dictionary says everything, with the same gaps to fill', () => {
  const gaps = (s: string) => (s.match(/\{\w+\}/g) ?? []).sort().join()
  for (const [name, { words: other }] of Object.entries({ ar, de, es, fr, he, ja, pt })) {
    assert.deepEqual(Object.keys(other).sort(), Object.keys(words).sort(), name)
    for (const [k, v] of Object.entries(other)) {
      assert.ok(v.trim(), `${name}.${k} is empty`)
      assert.equal(gaps(v), gaps(words[k as 'send']), `${name}.${k}`)
    }
  }
})

test('a dictionary that cannot be fetched leaves English', async () => {
  const was = words.send
  await speak('de', () => Promise.reject(new Error('offline')))
  assert.equal(words.send, was)
  assert.equal(fill('{a} and {b}, {c}', { a: 1, b: '{a}' }), '1 and {a}, {c}')
})

test('pages of invitations', () => {
  const at = (url: string) => new URL(url)
  for (const [pattern, url, want] of [
    ['/cart*', 'https://a.example/cart?x=1', true], ['/cart*', 'https://a.example/de/cart', false], ['*/cart', 'https://a.example/de/cart', true],
    ['/', 'https://a.example/', true], ['/', 'https://a.example/x', false], ['/a.b', 'https://a.example/axb', false], ['/(x)+', 'https://a.example/(x)+', true],
    ['https://a.example/*', 'https://a.example/x', true], ['https://a.example/*', 'https://b.example/x', false], ['/*', 'https://b.example/x?y#z', true],
  ] as const) assert.equal(matches(pattern, at(url)), want, pattern + ' ' + url)
})

test('what is kept in the page survives, and storage that fails does not matter', () => {
  const stored = new Map<string, string>()
  Object.assign(globalThis, { localStorage: { getItem: (k: string) => stored.get(k) ?? null, setItem: (k: string, v: string) => stored.set(k, v) } })
  const a = new Keeper('weftline.shop')
  assert.equal(a.has('said'), false)
  a.add('said')
  a.add('ab12')
  a.add('said')
  assert.equal(stored.get('weftline.shop'), 'said ab12')
  assert.ok(new Keeper('weftline.shop').has('ab12'))
  Object.assign(globalThis, { localStorage: { getItem() { throw new Error('no') }, setItem() { throw new Error('no') } } })
  const b = new Keeper('weftline.shop')
  b.add('said')
  assert.ok(b.has('said'))
})

test('when it opens next', () => {
  const now = new Date(2026, 10, 27, 12, 0)
  assert.equal(closedText(undefined, now), '')
  assert.equal(closedText({ open: true }, now), '')
  assert.equal(closedText({ open: false, text: 'Shut.' }, now), 'Shut.')
  const on = (d: Date) => closedText({ open: false, until: d.toISOString(), text: 'Shut.' }, now)
  assert.match(on(new Date(2026, 10, 27, 15, 30)), /^Shut\. We are back \d\d:30/)
  assert.match(on(new Date(2026, 10, 30, 9, 0)), /Monday/)
  assert.match(on(new Date(2027, 0, 4, 9, 0)), /January 4|4 January/)
})

test('outbox: the answers to the form go first', () => {
  const sent: ClientFrame[] = []
  const box = new Outbox(keep('y.', () => { throw new Error('no storage') }), (f) => sent.push(f) > 0)
  box.add({ clientId: 'm', kind: 'message', text: 'hi', at: '1', invite: 'ab' })
  box.add({ clientId: 'f', kind: 'form', text: '{"name":"Ada"}', at: '2' })
  box.ready('ada')
  box.done('f')
  assert.deepEqual(sent, [
    { type: 'form', client_id: 'f', name: 'Ada' },
    { type: 'message', client_id: 'm', text: 'hi', attachments: undefined, invite: 'ab' },
  ])
})
