// The emoji picker, fetched when it is first opened. No pictures: the device draws them.
const groups = [
  '😀😃😄😁😅😂🙂😉😊😇🥰😍😘😋😜🤔🤗🤭🙄😏😴😷🤒🤕🥳😎🤓😕😟😮😳🥺😢😭😤😡🤯😱',
  '👍👎👌✌️🤞👋🙏👏🙌💪🤝☝️👉👈✍️💅🤷🤦',
  '❤️🧡💛💚💙💜🖤💔💯✨⭐🔥🎉🎁🏆✅❌⚠️❓❗💡📌📎📦🚚🛒💳🧾📱💻📷✉️📞🔒🔑⏰📅',
  '☀️🌧️❄️🌈🌍🌸🍀🐶🐱🐻🦊🐝🍎🍋🍓🍕🍔🍰☕🍵🍺🚗✈️🏠',
]

const each = (text: string) => [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)].map((s) => s.segment)

// open shows the grid in a form, above all else; pick is called with what was chosen, shut when it has closed.
export function open(form: Element, label: string, pick: (emoji: string) => void, shut: () => void): () => void {
  const grid = document.createElement('div')
  grid.className = 'emoji'
  grid.setAttribute('role', 'group')
  grid.setAttribute('aria-label', label)
  const all = groups.flatMap(each).map((emoji, i) => {
    const b = document.createElement('button')
    b.type = 'button'
    b.textContent = emoji
    b.tabIndex = i ? -1 : 0
    return b
  })
  grid.append(...all)
  const close = () => {
    if (!grid.isConnected) return
    grid.remove()
    document.removeEventListener('pointerdown', outside)
    shut()
  }
  const outside = (e: Event) => {
    const at = e.target as Element
    if (!grid.contains(at) && !at.closest('[aria-expanded]')) close() // its own button closes it by itself
  }
  grid.onclick = (e) => {
    if (e.target instanceof HTMLButtonElement) pick(e.target.textContent ?? '')
  }
  grid.onkeydown = (e) => {
    const at = all.indexOf(document.activeElement as HTMLButtonElement)
    const columns = Math.max(1, all.filter((b) => b.offsetTop === all[0].offsetTop).length)
    const turn = getComputedStyle(grid).direction === 'rtl' ? -1 : 1
    const step = { ArrowRight: turn, ArrowLeft: -turn, ArrowDown: columns, ArrowUp: -columns, Home: -at, End: all.length - 1 - at }[e.key]
    if (e.key === 'Escape') {
      e.stopPropagation()
      close()
    }
    const to = all[at + (step ?? NaN)]
    if (!to) return
    e.preventDefault()
    all[at].tabIndex = -1
    to.tabIndex = 0
    to.focus()
  }
  form.prepend(grid)
  document.addEventListener('pointerdown', outside)
  all[0].focus()
  return close
}
