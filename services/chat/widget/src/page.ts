// What the loader knows of its page. Small: it is in the loader.

export interface About {
  i: string // inbox
  l?: string // language, unless the browser decides
  g?: { i: string; p: string; s: number; t: Record<string, string> }[] // invitations
}

// open, close, unread (# is how many), name
const said: Record<string, string> = {
  en: 'Open chat|Close chat|# unread|Chat',
  de: 'Chat öffnen|Chat schließen|# ungelesen|Chat',
  fr: 'Ouvrir le chat|Fermer le chat|# non lus|Chat',
  es: 'Abrir el chat|Cerrar el chat|# sin leer|Chat',
  pt: 'Abrir o chat|Fechar o chat|# por ler|Chat',
  ar: 'فتح الدردشة|إغلاق الدردشة|# غير مقروءة|دردشة',
  he: 'פתיחת הצ׳אט|סגירת הצ׳אט|# שלא נקראו|צ׳אט',
  ja: 'チャットを開く|チャットを閉じる|未読 # 件|チャット',
}

// The first wish that there are words for, as the frame decides, too.
export function labels(...wishes: (string | undefined)[]): [lang: string, words: string[]] {
  const all = wishes.map((w) => (w ?? '').toLowerCase().split(/[-_]/)[0].replace(/^iw$/, 'he'))
  const lang = all.find((w) => Object.hasOwn(said, w)) ?? 'en'
  return [lang, said[lang].split('|')]
}

// Keeper remembers words in the page's own storage, or for as long as the page lives.
export class Keeper {
  private words: string[] = []

  constructor(private key: string) {
    try {
      this.words = (localStorage.getItem(key) ?? '').split(' ')
    } catch {}
  }

  has(word: string) {
    return this.words.includes(word)
  }

  add(word: string) {
    if (this.has(word)) return
    this.words.push(word)
    try {
      localStorage.setItem(this.key, this.words.join(' ').trim())
    } catch {}
  }
}
