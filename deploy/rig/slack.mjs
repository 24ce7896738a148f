// Slack's own SDK, npm @slack/web-api, as a client of our fake of the Web API.
// usage: node slack.mjs MODULES < QUESTION.json, where MODULES is a directory with node_modules/@slack/web-api
//
// QUESTION {api, token, user, thread, text, file}
// answer   {bot, name, channel, posted, found, reply, uploaded, refused}
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'

const { WebClient } = createRequire(join(process.argv[2], 'x.js'))('@slack/web-api')
const q = JSON.parse(await text(process.stdin))
const client = new WebClient(q.token, { slackApiUrl: q.api, retryConfig: { retries: 0 } })
const answer = {}
answer.bot = (await client.auth.test()).user_id
answer.name = (await client.users.info({ user: q.user })).user.profile.display_name
answer.channel = (await client.conversations.open({ users: q.user })).channel.id
const metadata = { event_type: 'sdk_message', event_payload: { id: 'of the SDK' } }
const post = await client.chat.postMessage({ channel: answer.channel, text: q.text, mrkdwn: false, metadata })
answer.posted = post.ts
const page = await client.conversations.history({ channel: answer.channel, include_all_metadata: true, limit: 10 })
answer.found = page.messages.filter((m) => m.ts === post.ts && m.metadata?.event_payload?.id === 'of the SDK').length
await client.chat.postMessage({ channel: 'C0HELP', text: 'below', mrkdwn: false, thread_ts: q.thread })
answer.reply = (await client.conversations.replies({ channel: 'C0HELP', ts: q.thread })).messages.length
const sent = await client.filesUploadV2({ channel_id: 'C0HELP', thread_ts: q.thread, filename: 'sdk.txt', file: Buffer.from(q.file) })
answer.uploaded = sent.ok
answer.refused = await new WebClient('xoxb-of-nobody', { slackApiUrl: q.api, retryConfig: { retries: 0 } }).auth.test().then(() => 'ok', (e) => e.data?.error)
console.log(JSON.stringify(answer))
