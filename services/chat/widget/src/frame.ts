// The page inside the frame: joins link, outbox, transcript and view.
import { maxFile, upload } from './files'
import { closedText } from './hours'
import { keep } from './keep'
import { Link } from './link'
import { Outbox } from './outbox'
import type { Answers, ServerFrame, Welcome } from './protocol'
import { Transcript } from './transcript'
import { View } from './view'
import { choose, fill, language, rtl, speak, words } from './words'

const data = document.body.dataset
const store = keep(`weftline.${data.inbox}.`, () => localStorage)
// The loader says whose page this is on and, where the page has chosen, the language.
const [host, wish] = location.hash.slice(1).split('&').map(decodeURIComponent)
const embedded = window.parent !== window && host !== 'null'

const colour = data.colour ?? '#2f5bea'
const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16))
document.documentElement.style.setProperty('--accent', colour)
document.documentElement.style.setProperty('--ink', r * 299 + g * 587 + b * 114 > 150000 ? '#111' : '#fff')

await speak(choose([wish, data.language, ...navigator.languages]), (file) => import(new URL(file, location.href).href))
document.documentElement.lang = language
document.documentElement.dir = rtl(language) ? 'rtl' : 'ltr'

const transcript = new Transcript()
let me: Welcome | undefined
let jwt = ''
let shown = !embedded
let typingOff: ReturnType<typeof setTimeout> | undefined
let refresh: ReturnType<typeof setTimeout> | undefined
let anonymous: ReturnType<typeof setTimeout> | undefined
let invite: { id: string; text: string } | undefined // what the page said, and nobody has answered
let told = '' // up to where messages were reported as delivered

const view = new View({
  send(text) {
    const clientId = crypto.randomUUID()
    const at = new Date().toISOString()
    transcript.add({ from: 'you', text, at, client_id: clientId }, 'sending')
    outbox.add({ clientId, kind: 'message', text, at, invite: invite?.id })
    answered()
    draw()
  },
  attach: (files) => void attach(files),
  form(a) {
    view.form.show(undefined)
    view.writable(true)
    view.mails(!!me?.mail)
    view.texts(!!me?.sms)
    if (a.email) store.set('email', '1') // it is not asked for again
    outbox.add({ clientId: crypto.randomUUID(), kind: 'form', text: JSON.stringify(a), at: new Date().toISOString() })
    view.focus()
  },
  email(address) {
    store.set('email', '1')
    outbox.add({ clientId: crypto.randomUUID(), kind: 'email', text: address, at: new Date().toISOString() })
  },
  phone: (number) => outbox.add({ clientId: crypto.randomUUID(), kind: 'phone', text: number, at: new Date().toISOString() }),
  prove: (address, phone) => void link.send(phone ? { type: 'prove', phone: address } : { type: 'prove', address }),
  code: (id, code) => void link.send({ type: 'code', id, code }),
  proven(address, phone, wanted) {
    if (me) me[phone ? 'sms_to' : 'mail_to'] = address
    if (wanted) link.send({ type: 'transcript' })
  },
  mail() {
    if (!transcript.entries().length) view.say(words.mailEmpty)
    else if (me?.mail_to) link.send({ type: 'transcript' })
    else view.card.where()
  },
  sms: () => view.card.number(me?.sms_like ?? '', me?.sms_to),
  typing: (on) => void link.send({ type: 'typing', typing: on }),
  close: () => tell('close'),
  ticket: () => me?.ticket ?? '',
}, data.name ?? 'Chat')

const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
const socket = new URL('ws', location.href)
socket.protocol = scheme
socket.hash = ''

const link: Link = new Link(
  socket.href,
  () => ({ type: 'hello', lang: language, token: store.get('token') || undefined, who: me?.who, after: transcript.cursor || undefined, jwt: jwt || undefined }),
  heard,
  (up) => {
    if (up) return
    outbox.lost()
    view.say(words.offline)
    draw()
  },
)
const outbox: Outbox = new Outbox(store, (f) => link.send(f))

function heard(f: ServerFrame) {
  switch (f.type) {
    case 'welcome': return welcome(f)
    case 'messages':
      for (const i of f.items) transcript.add(i)
      transcript.advance(f.cursor)
      return draw()
    case 'message':
      transcript.add(f.message)
      if (f.message.from === 'us') typing(false)
      return draw()
    case 'ack': {
      const was = outbox.of(f.client_id)
      if (was?.kind === 'phone') view.card.left()
      if (was?.kind === 'form') view.card.given((JSON.parse(was.text) as Answers).email)
      transcript.set(f.client_id, 'sent')
      outbox.done(f.client_id)
      return draw()
    }
    case 'typing': return typing(f.typing, f.name)
    case 'proof': return view.card.heard(f)
    case 'transcript': return view.say(f.messages ? fill(words.mailSent, { to: f.to }) : words.mailEmpty)
    case 'hours':
      if (me) me.hours = f.hours
      return draw()
    case 'error': return refused(f)
  }
}

function welcome(f: Welcome) {
  if (me && me.who !== f.who) {
    transcript.clear()
    told = ''
  }
  me = f
  store.set('token', f.token)
  outbox.ready(f.who)
  for (const w of outbox.mine()) {
    if (w.kind === 'message') transcript.add({ from: 'you', text: w.text, files: w.files, at: w.at, client_id: w.clientId }, 'sending')
  }
  view.say('')
  const asked = outbox.mine().some((w) => w.kind === 'form') ? undefined : f.form
  const begins = !!asked && !view.form.open
  view.form.show(asked)
  view.writable(!asked)
  if (begins && shown) view.focus() // the questions came after the chat was opened
  view.called(f.name)
  view.greet(f.greeting || words.greeting)
  view.card.provable = !!f.prove
  view.card.mails = !!f.mail
  view.mails(!!f.mail && !asked)
  view.texts(!!f.sms && !asked)
  clearTimeout(refresh)
  clearTimeout(anonymous)
  if (f.login) refresh = setTimeout(() => tell('token'), Math.max(1000, Date.parse(f.login.expires_at) - Date.now() - 60_000))
  draw()
}

function refused(f: Extract<ServerFrame, { type: 'error' }>) {
  if (f.field === 'transcript') {
    if (f.code === 'address_required') return view.card.where()
    return view.say(f.code === 'rate' ? words.mailRate : f.code === 'invalid' ? words.mailNot : words.codeOver)
  }
  switch (f.code) {
    case 'token_invalid': // the hub does not know this browser any more
      store.remove('token')
      me = undefined
      break
    case 'login_expired':
    case 'login_invalid':
    case 'login_required':
      jwt = ''
      link.hold()
      tell('token')
      if (f.code === 'login_required' || me?.identity === 'required') {
        view.writable(false)
        view.say(words.login)
      } else {
        clearTimeout(anonymous)
        anonymous = setTimeout(() => link.restart(), 5000)
      }
      break
    case 'login_refused':
      jwt = ''
      break
    case 'form_required':
    case 'invalid':
      if (f.client_id && outbox.of(f.client_id)?.kind === 'form') {
        outbox.done(f.client_id)
        store.remove('email')
        view.form.show(me?.form)
        view.writable(false)
        view.form.refused(f.field ?? '', f.limit, f.code)
        break
      }
      if (f.code === 'form_required') { // asked since: a new welcome brings the questions, what was written waits
        if (!view.form.open) link.restart()
        break
      }
      if (!f.client_id || outbox.of(f.client_id)?.kind === 'phone') {
        if (f.client_id) outbox.done(f.client_id)
        view.card.refused(f)
        break
      }
      transcript.set(f.client_id, 'failed')
      outbox.done(f.client_id)
      draw()
      break
    case 'rate':
    case 'unavailable':
      if (f.field === 'proof') view.card.refused(f)
      else if (f.client_id) outbox.later(f.retry_after_ms ?? 2000)
      else if (f.retry_after_ms) link.wait(f.retry_after_ms)
      break
  }
}

async function attach(files: File[]) {
  const ticket = me?.ticket
  if (!files.length || !ticket) return
  const fit = files.slice(0, 10).filter((f) => f.size <= maxFile && f.size > 0)
  view.say(fit.length < files.length ? words.tooBig : '')
  const who = me?.who
  const done = await Promise.allSettled(fit.map((f) => upload(f, ticket)))
  const sent = done.flatMap((d) => (d.status === 'fulfilled' ? [d.value] : []))
  if (sent.length < fit.length) view.say(words.badFile)
  if (!sent.length || me?.who !== who) return
  const clientId = crypto.randomUUID()
  const at = new Date().toISOString()
  transcript.add({ from: 'you', at, client_id: clientId, files: [] }, 'sending').files = sent.map((f) => ({ ...f, type: '' }))
  outbox.add({ clientId, kind: 'message', text: '', files: sent, at })
  draw()
}

function typing(on: boolean, name = '') {
  clearTimeout(typingOff)
  view.typing(on ? fill(words.typing, { who: name || words.somebody }) : '')
  if (on) typingOff = setTimeout(() => view.typing(''), 6000)
}

function draw() {
  const entries = transcript.entries()
  view.draw(entries)
  view.closed(closedText(me?.hours))
  // Outside business hours an address is the first thing asked for.
  const alone = entries.some((e) => e.from === 'you') && !entries.some((e) => e.from === 'us')
  view.ask(!!me?.email_capture && !store.get('email') && !view.form.open && (alone || !!me.hours && !me.hours.open))
  const last = transcript.lastOfUs()
  if (last > told && link.send({ type: 'delivered', position: last })) told = last
  const key = 'read.' + (me?.who ?? '')
  const read = store.get(key)
  if (shown && document.visibilityState === 'visible' && last > read && link.send({ type: 'read', position: last })) store.set(key, last)
  tell('unread', shown ? 0 : transcript.unread(store.get(key)))
  if (entries.length) tell('known') // from now on the page asks after every reload
}

function answered() {
  invite = undefined // what it said stays to be seen
  tell('answered')
}

// The host's page: exactly the origin that made this frame, and only our parent.
function tell(type: string, value?: unknown) {
  if (embedded && host) window.parent.postMessage({ weftline: 1, type, value }, host)
}

window.addEventListener('message', (e) => {
  if (!embedded || e.source !== window.parent || e.origin !== host || e.data?.weftline !== 1) return
  const { type, value } = e.data as { type: unknown; value: unknown }
  if (type === 'shown' && typeof value === 'boolean') {
    shown = value
    if (shown) view.focus()
    draw()
  } else if (type === 'invite' && value && typeof value === 'object') {
    const { i, text } = value as { i?: unknown; text?: unknown }
    if (typeof i !== 'string' || typeof text !== 'string' || i.length > 16 || [...text].length > 300) return
    invite = i ? { id: i, text } : undefined
    view.invited(text)
  } else if (type === 'identify' && typeof value === 'string' && value.length <= 8192 && value !== jwt) {
    jwt = value
    if (!jwt) { // logged out: nothing of the login stays on the screen
      me = undefined
      told = ''
      transcript.clear()
      outbox.leave()
      draw()
    }
    clearTimeout(anonymous)
    link.restart()
  }
})
document.addEventListener('visibilitychange', draw)

tell('ready')
link.restart()
