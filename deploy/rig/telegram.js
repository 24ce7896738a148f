// An emulator of Telegram's Bot API for tests, npm telegram-test-api.
// usage: node telegram.js MODULES PORT, where MODULES is a directory with node_modules/telegram-test-api
const TelegramServer = require(require.resolve('telegram-test-api', { paths: [process.argv[2]] }))
new TelegramServer({ port: Number(process.argv[3]), host: '127.0.0.1', storeTimeout: 600 }).start().then(() => console.log('listening'))
