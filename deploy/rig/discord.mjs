// discord.js, a community client, logs into our fake of Discord.
// usage: node discord.mjs MODULES < QUESTIONS, where MODULES is a directory with node_modules/discord.js
//
// The first line of QUESTIONS is {api, token}; then each line asks for one thing, and is answered with a line:
//
//	{"login": true}                           {user, application}
//	{"await": "messageCreate"}                the next event of that name: {id, channel, author, content, dm, nonce, reference, files}
//	{"await": "messageUpdate"|"messageDelete"|"messageReactionAdd"|"typingStart"}  what it says
//	{"reply": text, "file": content}          answers the last message: {id, nonce}
//	{"send": [text…], "to": user}             one after the other: {sent, limited}, limited being how often it had to wait, and how long
//	{"refused": user}                         the code that sending is refused with
//	{"history": n}                            the latest messages of the last channel, newest first
//	{"fetch": true}                           the file of the last message
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { join } from 'node:path'

const { Client, GatewayIntentBits: I, Partials, Events } = createRequire(join(process.argv[2], 'x.js'))('discord.js')
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const next = async () => { const l = await lines.next(); return l.done ? null : JSON.parse(l.value) }
const say = (v) => console.log(JSON.stringify(v))
const q = await next()
const client = new Client({
  intents: [I.DirectMessages, I.DirectMessageReactions, I.DirectMessageTyping],
  partials: [Partials.Channel, Partials.Message, Partials.Reaction, Partials.User],
  rest: { api: q.api, version: '10', retries: 0 },
  allowedMentions: { parse: [] },
})
client.on('error', (e) => { console.error(e); process.exit(1) })
const came = {}
const waiting = {}
const note = (name, v) => { if (waiting[name]) { const w = waiting[name]; delete waiting[name]; w(v) } else (came[name] ??= []).push(v) }
let last
const message = (m) => ({
  id: m.id, channel: m.channelId, author: m.author?.id, name: m.author?.displayName, content: m.content, dm: m.channel?.isDMBased?.() ?? false, nonce: m.nonce,
  reference: m.reference?.messageId ?? null, files: m.attachments.map((a) => a.name), edited: m.editedTimestamp !== null,
})
client.on(Events.MessageCreate, (m) => { note('messageCreate', message(m)); if (m.author.id !== client.user.id) last = m })
client.on(Events.MessageUpdate, (_, m) => note('messageUpdate', message(m)))
client.on(Events.MessageDelete, (m) => note('messageDelete', { id: m.id, channel: m.channelId }))
client.on(Events.MessageReactionAdd, (r, u) => note('messageReactionAdd', { id: r.message.id, emoji: r.emoji.name, user: u.id }))
client.on(Events.TypingStart, (t) => note('typingStart', { channel: t.channel.id, user: t.user.id }))
let limited = []
client.rest.on('rateLimited', (i) => limited.push({ ms: i.timeToReset, global: i.global }))
const does = {
  login: async () => {
    const ready = new Promise((done) => client.once(Events.ClientReady, done))
    await client.login(q.token)
    await ready
    return { user: client.user.id, application: client.application.id }
  },
  await: (name) => new Promise((done) => { const v = came[name]?.shift(); if (v) done(v); else waiting[name] = done }),
  reply: async (content, more) => {
    const m = await last.reply({ content, nonce: 'of discord.js', enforceNonce: true, files: more.file ? [{ name: 'js.txt', attachment: Buffer.from(more.file) }] : [] })
    return message(m)
  },
  send: async (texts, more) => {
    limited = []
    const user = await client.users.createDM(more.to)
    const sent = []
    for (const content of texts) sent.push((await user.send({ content })).id)
    return { sent, limited }
  },
  refused: async (to) => client.users.createDM(to).then((c) => c.send('x')).then(() => ({ code: 0 }), (e) => ({ code: e.code, status: e.status })),
  history: async (limit) => (await last.channel.messages.fetch({ limit })).map(message),
  fetch: async () => ({ text: await (await fetch(last.attachments.first().url)).text() }),
}
for (let a; (a = await next());) {
  const name = Object.keys(does).find((k) => k in a)
  say(await does[name](a[name], a))
}
await client.destroy()
