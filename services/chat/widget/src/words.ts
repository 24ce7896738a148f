// What the widget says, by language. English is the fallback.
const en = {
  placeholder: 'Write a message…', send: 'Send', attach: 'Attach a file', close: 'Close chat',
  sending: 'Sending…', sent: 'Sent', failed: 'Not sent', delivered: 'Delivered', read: 'Read',
  offline: 'No connection. What you write is kept and sent later.',
  typing: (who: string) => `${who || 'Somebody'} is typing…`,
  login: 'Please log in on this site to chat.',
  email: 'If we miss each other, where may we answer?', emailLabel: 'E-mail address', emailSend: 'Leave address', emailThanks: 'Thank you. We will answer there if you are gone.',
  prove: 'Show that it is yours, and we know you wherever you write.', proveSend: 'Send me a code', proven: 'Thank you. The address is yours.',
  codeSent: (to: string) => `We sent a code to ${to}. It is good for 10 minutes.`, codeLabel: 'Code', codeSend: 'Confirm',
  codeWrong: (n: number) => `That is not the code. Tries left: ${n}.`, codeOver: 'That did not work.', codeRate: 'Too many codes for now. Try again later.', codeBad: 'No code can be sent to this address.',
  tooBig: 'A file may have at most 10 MB.', badFile: 'This file could not be sent.', tooLong: 'A message may have at most 10,000 characters.',
  drop: 'Drop files to send them', you: 'You', messages: 'Messages', unavailable: 'The file is no longer there.',
}

const de: typeof en = {
  placeholder: 'Nachricht schreiben…', send: 'Senden', attach: 'Datei anhängen', close: 'Chat schließen',
  sending: 'Wird gesendet…', sent: 'Gesendet', failed: 'Nicht gesendet', delivered: 'Zugestellt', read: 'Gelesen',
  offline: 'Keine Verbindung. Was Sie schreiben, wird später gesendet.',
  typing: (who) => `${who || 'Jemand'} schreibt…`,
  login: 'Bitte melden Sie sich auf dieser Seite an.',
  email: 'Falls wir uns verpassen: Wohin dürfen wir antworten?', emailLabel: 'E-Mail-Adresse', emailSend: 'Adresse hinterlassen', emailThanks: 'Danke. Wir antworten dorthin, falls Sie weg sind.',
  prove: 'Bestätigen Sie, dass sie Ihnen gehört, dann erkennen wir Sie überall.', proveSend: 'Code senden', proven: 'Danke. Die Adresse ist bestätigt.',
  codeSent: (to) => `Wir haben einen Code an ${to} gesendet. Er gilt 10 Minuten.`, codeLabel: 'Code', codeSend: 'Bestätigen',
  codeWrong: (n) => `Das ist nicht der Code. Verbleibende Versuche: ${n}.`, codeOver: 'Das hat nicht geklappt.', codeRate: 'Zu viele Codes. Versuchen Sie es später noch einmal.', codeBad: 'An diese Adresse kann kein Code gesendet werden.',
  tooBig: 'Eine Datei darf höchstens 10 MB haben.', badFile: 'Diese Datei konnte nicht gesendet werden.', tooLong: 'Eine Nachricht darf höchstens 10.000 Zeichen haben.',
  drop: 'Dateien hier ablegen', you: 'Sie', messages: 'Nachrichten', unavailable: 'Die Datei ist nicht mehr da.',
}

export const words = (typeof navigator === 'object' && navigator.language?.startsWith('de')) ? de : en
