// What the widget says. English is here, the others are fetched when needed.
const en = {
  placeholder: 'Write a message…', send: 'Send', attach: 'Attach a file', emoji: 'Emoji', close: 'Close chat',
  sending: 'Sending…', sent: 'Sent', failed: 'Not sent', delivered: 'Delivered', read: 'Read',
  offline: 'No connection. What you write is kept and sent later.',
  typing: '{who} is typing…', somebody: 'Somebody',
  login: 'Please log in on this site to chat.',
  email: 'If we miss each other, where may we answer?', emailLabel: 'E-mail address', emailSend: 'Leave address', emailThanks: 'Thank you. Our agents see the address.',
  prove: 'Show that it is yours, and we know you wherever you write.', proveMail: 'Confirm it, and the answer comes there when you are gone.', proveSend: 'Send me a code', proven: 'Thank you. The address is yours.',
  codeSent: 'We sent a code to {to}. It is good for 10 minutes.', codeLabel: 'Code', codeSend: 'Confirm',
  codeWrong: 'That is not the code. Tries left: {n}.', codeOver: 'That did not work.', codeRate: 'Too many codes for now. Try again later.', codeBad: 'No code can be sent to this address.', codeStop: 'A number that has texted STOP to us gets no code until it texts START.',
  codeLater: 'No code can be sent just now. Try again later.', greeting: 'Hello! How can we help?',
  tooBig: 'A file may have at most 10 MB.', badFile: 'This file could not be sent.', tooLong: 'A message may have at most 10,000 characters.',
  drop: 'Drop files to send them', you: 'You', messages: 'Messages', unavailable: 'The file is no longer there.',
  form: 'Before we begin', name: 'Name', phone: 'Phone number, beginning with +', question: 'How can we help?', optional: '(optional)', start: 'Start the chat',
  missing: 'Please fill this in.', wrong: 'This does not look right.', longest: 'At most {n} characters.', agree: 'Please agree to go on.',
  closed: 'We are not here right now. Write all the same: nothing gets lost.', back: 'We are back {when}.',
  mail: 'Send me this chat by e-mail', mailWhere: 'Where may we send this chat?', mailSent: 'This chat is on its way to {to}.', mailRate: 'That was sent often enough for now.', mailNot: 'This chat cannot be sent there.', mailEmpty: 'Nothing was said yet.',
  sms: 'Answer me by SMS', smsWhere: 'Which mobile number may we answer to when you are gone?', smsLabel: 'Mobile number', smsBad: 'That is no mobile number we can write to. With its country’s code it has at most {n} digits, such as {like}.', smsProven: 'Thank you. When you are gone, answers come by SMS to {to}.', smsOn: 'When you are gone, answers come by SMS to {to}. Another number?',
}

export type Words = typeof en

export const words: Words = { ...en }
export let language = 'en'

const known = ['en', 'de', 'fr', 'es', 'pt', 'ar', 'he', 'ja']
export const rtl = (lang: string) => lang === 'ar' || lang === 'he'

// The first of the wishes that there is a dictionary for; a region is not looked at.
export function choose(wishes: readonly (string | undefined)[]): string {
  for (const wish of wishes) {
    const lang = (wish ?? '').toLowerCase().split(/[-_]/)[0].replace(/^iw$/, 'he')
    if (known.includes(lang)) return lang
  }
  return 'en'
}

// Without its dictionary a language is English: better than silence.
export async function speak(lang: string, fetched: (file: string) => Promise<{ words: Words }>): Promise<void> {
  if (lang === 'en') return
  try {
    Object.assign(words, (await fetched(`words-${lang}.js`)).words)
    language = lang
  } catch {
    language = 'en'
  }
}

export const fill = (text: string, values: Record<string, string | number>) => text.replace(/\{(\w+)\}/g, (all, k: string) => String(values[k] ?? all))
