import type { Words } from './words'

export const words: Words = {
  placeholder: 'メッセージを入力…', send: '送信', attach: 'ファイルを添付', emoji: '絵文字', close: 'チャットを閉じる',
  sending: '送信中…', sent: '送信済み', failed: '未送信', delivered: '配信済み', read: '既読',
  offline: '接続がありません。入力内容は保存され、後で送信されます。',
  typing: '{who}が入力中…', somebody: '担当者',
  login: 'チャットするにはこのサイトにログインしてください。',
  email: '行き違いになった場合、どちらへお返事しましょうか。', emailLabel: 'メールアドレス', emailSend: 'アドレスを残す', emailThanks: 'ありがとうございます。担当者がアドレスを確認できます。',
  prove: 'ご本人のものと確認できれば、どこからでもお客様とわかります。', proveMail: '確認すると、不在の間の返信がそちらに届きます。', proveSend: 'コードを送る', proven: 'ありがとうございます。アドレスが確認されました。',
  codeSent: '{to} にコードを送りました。10分間有効です。', codeLabel: 'コード', codeSend: '確認',
  codeWrong: 'コードが違います。残り {n} 回。', codeOver: 'うまくいきませんでした。', codeRate: 'コードの送信が多すぎます。後でもう一度お試しください。', codeBad: 'このアドレスにはコードを送れません。', codeStop: 'STOP を送信した番号には、START を送信するまでコードは届きません。',
  codeLater: '現在コードを送信できません。後でもう一度お試しください。', greeting: 'こんにちは。ご用件をお聞かせください。',
  tooBig: 'ファイルは10 MBまでです。', badFile: 'このファイルは送信できませんでした。', tooLong: 'メッセージは10,000文字までです。',
  drop: 'ここにファイルをドロップ', you: 'あなた', messages: 'メッセージ', unavailable: 'ファイルはもうありません。',
  form: 'はじめる前に', name: 'お名前', phone: '電話番号（+ から）', question: 'ご用件をお聞かせください', optional: '（任意）', start: 'チャットを始める',
  missing: '入力してください。', wrong: '正しくないようです。', longest: '{n} 文字までです。', agree: '続けるには同意してください。',
  closed: 'ただいま不在です。メッセージはいつでも受け付けています。', back: '{when} に再開します。',
  mail: 'このチャットをメールで受け取る', mailWhere: 'このチャットをどちらへ送りましょうか。', mailSent: 'このチャットを {to} に送信しています。', mailRate: '今は十分に送信されました。', mailNot: 'そのアドレスには送れません。', mailEmpty: 'まだ会話がありません。',
  sms: 'SMS で返信を受け取る', smsWhere: '不在の間、どの携帯番号へお返事しましょうか。', smsLabel: '携帯番号', smsBad: 'この番号には送れません。国番号付きの携帯番号は最大 {n} 桁です（例：{like}）。', smsProven: 'ありがとうございます。不在の間の返信は SMS で {to} に届きます。', smsOn: '不在の間の返信は SMS で {to} に届きます。番号を変更しますか。',
}
