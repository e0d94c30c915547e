import type { TimedContestant } from '../case.ts'
import { work as protectedWork, workWithSignal } from './work.ts'

/** What an experienced team writes by itself for one service: the same protections, with no options and no statistics. */

type Work<T> = (context: { readonly signal: AbortSignal }) => Promise<T>
type Layer = <T>(work: Work<T>) => Work<T>

const never = new AbortController().signal

export function breaker(): Layer {
  const threshold = 5
  const windowMs = 60_000
  const openMs = 60_000
  let failures: number[] = []
  let openUntil = 0
  let probing = false
  return (work) => async (context) => {
    const isOpen = openUntil > 0
    if (isOpen) {
      if (performance.now() < openUntil || probing) throw new Error('circuit open')
      probing = true
    }
    try {
      const value = await work(context)
      if (isOpen) {
        openUntil = 0
        failures = []
      }
      return value
    } catch (error) {
      const now = performance.now()
      failures = failures.filter((at) => now - at < windowMs)
      failures.push(now)
      if (isOpen || failures.length >= threshold) openUntil = now + openMs
      throw error
    } finally {
      if (isOpen) probing = false
    }
  }
}

export function retry(): Layer {
  return (work) => async (context) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(context)
      } catch (error) {
        if (attempt >= 3) throw error
        const delay = Math.random() * Math.min(30_000, 1_000 * 2 ** (attempt - 1))
        await new Promise((resolve) => setTimeout(resolve, delay))
      }
    }
  }
}

/** Tells the caller in time, and cancels the work if `cancels` asks for the controller that this takes. */
export function timeout(ms: number, cancels: boolean): Layer {
  return (work) => (context) => {
    const controller = cancels ? new AbortController() : undefined
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const error = new Error('timeout')
        controller?.abort(error)
        reject(error)
      }, ms)
      work(controller === undefined ? context : { signal: controller.signal }).then(
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
}

export function bulkhead(maxConcurrent: number, maxQueued: number): Layer {
  let running = 0
  const queue: (() => void)[] = []
  return (work) => async (context) => {
    if (running >= maxConcurrent) {
      if (queue.length >= maxQueued) throw new Error('bulkhead full')
      await new Promise<void>((resolve) => queue.push(resolve))
    }
    running++
    try {
      return await work(context)
    } finally {
      running--
      queue.shift()?.()
    }
  }
}

export function fallback(value: unknown): Layer {
  return (work) => async (context) => {
    try {
      return await work(context)
    } catch {
      return value as never
    }
  }
}

/** Composes, outermost first. */
function compose<T>(work: Work<T>, ...layers: readonly Layer[]): () => Promise<T> {
  const all = layers.reduceRight((inner, layer) => layer(inner), work)
  return () => all({ signal: never })
}

export function byHand(...layers: readonly Layer[]): TimedContestant {
  return { name: 'hand-written', role: 'hand-written', call: compose(protectedWork, ...layers) }
}

export function byHandWithSignal(...layers: readonly Layer[]): TimedContestant {
  return { name: 'hand-written', role: 'hand-written', call: compose(workWithSignal, ...layers) }
}
