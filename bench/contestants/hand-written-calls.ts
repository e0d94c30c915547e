/** Protections that no peer has, as an experienced team writes them for one service. */

type Work<T> = () => Promise<T>

/** Starts a second attempt when the first has not answered in time; the first answer wins. */
export function hedged<T>(work: Work<T>, afterMs: number): Work<T> {
  return () =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => void work().then(resolve, reject), afterMs)
      work().then(
        (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
}

/** A limit that grows by one per so many good answers and is halved by a bad one. */
export function adaptive<T>(work: Work<T>): Work<T> {
  let limit = 20
  let running = 0
  return async () => {
    if (running >= limit) throw new Error('too many')
    running++
    const begun = performance.now()
    try {
      const value = await work()
      if (performance.now() - begun < 1_000) limit = Math.min(1_000, limit + 1 / limit)
      return value
    } catch (error) {
      limit = Math.max(1, limit / 2)
      throw error
    } finally {
      running--
    }
  }
}

/** So many at once, and so many per second. */
export function throttled<T>(work: Work<T>, maxConcurrent: number, perSecond: number): Work<T> {
  let running = 0
  let next = 0
  return async () => {
    const now = performance.now()
    if (running >= maxConcurrent) throw new Error('too many')
    if (next > now) await new Promise((resolve) => setTimeout(resolve, next - now))
    next = Math.max(now, next) + 1_000 / perSecond
    running++
    try {
      return await work()
    } finally {
      running--
    }
  }
}

/** Turns callers away while more run than a share of what the service can bear. */
export function shed<T>(work: Work<T>, capacity: number, maxLoad: number): Work<T> {
  let running = 0
  return async () => {
    if (running >= capacity * maxLoad) throw new Error('overloaded')
    running++
    try {
      return await work()
    } finally {
      running--
    }
  }
}

/** Remembers answers by key for a time. */
export function cached<T>(work: Work<T>, ttlMs: number): (key: string) => Promise<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>()
  return async (key) => {
    const known = entries.get(key)
    if (known !== undefined && performance.now() < known.until) return known.value
    const value = await work()
    entries.set(key, { value, until: performance.now() + ttlMs })
    return value
  }
}
