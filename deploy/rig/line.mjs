// LINE's own SDK, npm @line/bot-sdk: checks our signatures, and is a client of our fake of the API.
// usage: node line.mjs MODULES < QUESTION.json, where MODULES is a directory with node_modules/@line/bot-sdk
//
// QUESTION {secret, requests: [{body, signature}], api, token, user, retryKey, text, content, endpoint}
// answer   {valid: [bool], bot, endpoint, profile, pushed, conflict, content}
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'

const sdk = createRequire(join(process.argv[2], 'x.js'))('@line/bot-sdk')
const q = JSON.parse(await text(process.stdin))
const answer = { valid: q.requests.map((r) => sdk.validateSignature(r.body, q.secret, r.signature)) }

const client = new sdk.messagingApi.MessagingApiClient({ channelAccessToken: q.token, baseURL: q.api })
const files = new sdk.messagingApi.MessagingApiBlobClient({ channelAccessToken: q.token, baseURL: q.api })
answer.bot = (await client.getBotInfo()).displayName
await client.setWebhookEndpoint({ endpoint: q.endpoint })
answer.endpoint = await client.getWebhookEndpoint()
answer.profile = (await client.getProfile(q.user)).displayName
await client.showLoadingAnimation({ chatId: q.user, loadingSeconds: 5 })
const push = () => client.pushMessage({ to: q.user, messages: [{ type: 'text', text: q.text }] }, q.retryKey)
answer.pushed = (await push()).sentMessages[0].id
answer.conflict = await push().then(() => 200, (e) => e.status)
answer.content = await text(await files.getMessageContent(q.content))
console.log(JSON.stringify(answer))
