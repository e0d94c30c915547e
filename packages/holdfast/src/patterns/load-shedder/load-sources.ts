import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { HoldfastError } from '../../core/errors.ts'
import { integerOption } from '../../core/options.ts'

/** How loaded something is now: 0 idle, 1 at its limit, more beyond. Asked on admissions, at most once per `sampleEvery`. */
export type LoadSource = () => number

/**
 * Load by the delay of the event loop: how late a timer fires, in shares of `max`. A timer is set only when the load is asked for, so an
 * idle process has none.
 */
export function eventLoopDelay(options: { readonly max?: Duration; readonly clock?: Clock } = {}): LoadSource {
  const maxMs = durationMs('eventLoopDelay', 'max', options.max ?? '100ms', { min: 1 })
  const clock = options.clock ?? systemClock
  let setAt: number | undefined
  let delayMs = 0
  return () => {
    if (setAt === undefined) {
      const askedAt = clock.now()
      setAt = askedAt
      clock
        .setTimer(() => {
          setAt = undefined
          delayMs = Math.max(0, clock.now() - askedAt - 1)
        }, 1)
        .unref()
    } else delayMs = Math.max(delayMs, clock.now() - setAt - 1) // it is late already
    return delayMs / maxMs
  }
}

interface Utilization {
  readonly utilization: number
}

/** What Node.js adds to `performance`. */
interface EventLoopPerformance {
  eventLoopUtilization(from?: Utilization, to?: Utilization): Utilization
}

/** Load by the share of time in which the event loop was busy since it was last asked for. */
export function eventLoopUtilization(): LoadSource {
  const clock = performance as unknown as EventLoopPerformance
  let before = clock.eventLoopUtilization()
  return () => {
    const now = clock.eventLoopUtilization()
    const { utilization } = clock.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
}

/** Load by the processor time of this process since it was last asked for, in shares of `cores`. */
export function cpuUsage(options: { readonly cores?: number; readonly clock?: Clock } = {}): LoadSource {
  const cores = integerOption('cpuUsage', 'cores', options.cores ?? 1, { min: 1 })
  const clock = options.clock ?? systemClock
  let before = process.cpuUsage()
  let askedAt = clock.now()
  let load = 0
  return () => {
    const now = clock.now()
    const elapsedMs = now - askedAt
    if (elapsedMs <= 0) return load
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    askedAt = now
    load = (user + system) / 1_000 / elapsedMs / cores
    return load
  }
}

/**
 * Load by the memory this process holds, in shares of `maxBytes`, by default what its container allows.
 * @throws HoldfastError `ERR_INVALID_OPTION` when neither says how much there is.
 */
export function memoryUsage(options: { readonly maxBytes?: number } = {}): LoadSource {
  const allowed = options.maxBytes ?? process.constrainedMemory()
  if (allowed === undefined || allowed === 0 || (options.maxBytes === undefined && allowed > 2 ** 53))
    throw new HoldfastError({
      code: 'ERR_INVALID_OPTION',
      message: "memoryUsage: no container limits this process; say how much it may use with option 'maxBytes'",
    })
  const maxBytes = integerOption('memoryUsage', 'maxBytes', allowed, { min: 1 })
  return () => process.memoryUsage.rss() / maxBytes
}
