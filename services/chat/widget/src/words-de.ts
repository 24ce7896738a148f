import type { Words } from './words'

export const words: Words = {
  placeholder: 'Nachricht schreiben…', send: 'Senden', attach: 'Datei anhängen', emoji: 'Emoji', close: 'Chat schließen',
  sending: 'Wird gesendet…', sent: 'Gesendet', failed: 'Nicht gesendet', delivered: 'Zugestellt', read: 'Gelesen',
  offline: 'Keine Verbindung. Was Sie schreiben, wird später gesendet.',
  typing: '{who} schreibt…', somebody: 'Jemand',
  login: 'Bitte melden Sie sich auf dieser Seite an.',
  email: 'Falls wir uns verpassen: Wohin dürfen wir antworten?', emailLabel: 'E-Mail-Adresse', emailSend: 'Adresse hinterlassen', emailThanks: 'Danke. Unser Team sieht die Adresse.',
  prove: 'Bestätigen Sie, dass sie Ihnen gehört, dann erkennen wir Sie überall.', proveMail: 'Bestätigen Sie sie, dann kommt die Antwort dorthin, wenn Sie weg sind.', proveSend: 'Code senden', proven: 'Danke. Die Adresse ist bestätigt.',
  codeSent: 'Wir haben einen Code an {to} gesendet. Er gilt 10 Minuten.', codeLabel: 'Code', codeSend: 'Bestätigen',
  codeWrong: 'Das ist nicht der Code. Verbleibende Versuche: {n}.', codeOver: 'Das hat nicht geklappt.', codeRate: 'Zu viele Codes. Versuchen Sie es später noch einmal.', codeBad: 'An diese Adresse kann kein Code gesendet werden.', codeStop: 'Eine Nummer, die uns STOP geschrieben hat, bekommt keinen Code, bis sie START schreibt.',
  codeLater: 'Gerade kann kein Code gesendet werden. Versuchen Sie es später noch einmal.', greeting: 'Hallo! Wie können wir helfen?',
  tooBig: 'Eine Datei darf höchstens 10 MB haben.', badFile: 'Diese Datei konnte nicht gesendet werden.', tooLong: 'Eine Nachricht darf höchstens 10.000 Zeichen haben.',
  drop: 'Dateien hier ablegen', you: 'Sie', messages: 'Nachrichten', unavailable: 'Die Datei ist nicht mehr da.',
  form: 'Bevor wir beginnen', name: 'Name', phone: 'Telefonnummer, mit + am Anfang', question: 'Wie können wir helfen?', optional: '(freiwillig)', start: 'Chat beginnen',
  missing: 'Bitte ausfüllen.', wrong: 'Das sieht nicht richtig aus.', longest: 'Höchstens {n} Zeichen.', agree: 'Bitte stimmen Sie zu.',
  closed: 'Wir sind gerade nicht da. Schreiben Sie trotzdem: Nichts geht verloren.', back: 'Wir sind {when} wieder da.',
  mail: 'Diesen Chat per E-Mail senden', mailWhere: 'Wohin dürfen wir diesen Chat senden?', mailSent: 'Dieser Chat ist unterwegs an {to}.', mailRate: 'Das wurde vorerst oft genug gesendet.', mailNot: 'Dorthin kann dieser Chat nicht gesendet werden.', mailEmpty: 'Es wurde noch nichts gesagt.',
  sms: 'Antwort per SMS', smsWhere: 'An welche Mobilnummer dürfen wir antworten, wenn Sie weg sind?', smsLabel: 'Mobilnummer', smsBad: 'An diese Nummer können wir nicht schreiben. Eine Mobilnummer mit Landesvorwahl hat höchstens {n} Ziffern, zum Beispiel {like}.', smsProven: 'Danke. Wenn Sie weg sind, kommen Antworten per SMS an {to}.', smsOn: 'Wenn Sie weg sind, kommen Antworten per SMS an {to}. Eine andere Nummer?',
}
