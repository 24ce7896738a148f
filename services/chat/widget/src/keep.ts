// What outlives a reload: localStorage of the hub's origin, or memory where the browser gives none.

export interface Keep {
  get(key: string): string
  set(key: string, value: string): void
  remove(key: string): void
  keys(): string[]
}

export function keep(prefix: string, storage: () => Storage): Keep {
  const memory = new Map<string, string>()
  let real: Storage | undefined
  try {
    real = storage()
    real.setItem(prefix + 'probe', '1')
    real.removeItem(prefix + 'probe')
  } catch {
    real = undefined
  }
  return {
    get: (k) => memory.get(k) ?? real?.getItem(prefix + k) ?? '',
    set(k, v) {
      try {
        if (!real) throw 0
        real.setItem(prefix + k, v)
        memory.delete(k)
      } catch {
        memory.set(k, v) // full or forbidden: good until the page goes
      }
    },
    remove(k) {
      memory.delete(k)
      real?.removeItem(prefix + k)
    },
    keys() {
      const all = new Set(memory.keys())
      for (let i = 0; real && i < real.length; i++) {
        const k = real.key(i)
        if (k?.startsWith(prefix)) all.add(k.slice(prefix.length))
      }
      return [...all].sort()
    },
  }
}
