import type { Call } from '../core/call.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { policy } from '../core/custom-policy.ts'
import { statusOf } from '../core/match-error.ts'
import { checkOptionNames, integerOption, nameOption } from '../core/options.ts'
import type { Acquirable } from '../core/permit.ts'
import type { Policy } from '../core/policy.ts'
import { verdictOf } from '../core/verdict.ts'
import type { TraceCall } from './trace.ts'

export interface RecordTraceOptions {
  /** Calls that are kept; the oldest go first. 100 bytes each, about. @defaultValue 100_000 */
  readonly maxCalls?: number
  /** @defaultValue 'trace' */
  readonly name?: string
  readonly clock?: Clock
}

/** Records the calls that pass. */
export interface TraceRecorder {
  /** Put it innermost in a pipeline, where it sees each attempt as the dependency does, and nothing else. */
  readonly policy: Policy & Acquirable
  /** The calls that have ended, in the order in which they began. Times count from the first of them. */
  calls(): readonly TraceCall[]
  clear(): void
}

/**
 * Records real calls for {@link replay}, the last `maxCalls` of them. It keeps times, verdict, status, key and priority: no arguments and no
 * results. Calls that their callers cancelled are left out, since nobody knows how they would have ended.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const recorder = recordTrace(); const guarded = pipeline(retry(), recorder.policy)`
 */
export function recordTrace(options: RecordTraceOptions = {}): TraceRecorder {
  checkOptionNames('recordTrace', options, ['maxCalls', 'name', 'clock'])
  const name = nameOption('trace', options.name)
  const maxCalls = integerOption(name, 'maxCalls', options.maxCalls ?? 100_000, { min: 1, max: 10_000_000 })
  const clock = options.clock ?? systemClock
  let kept: TraceCall[] = []
  let oldest = 0
  const keep = (call: TraceCall): void => {
    if (kept.length < maxCalls) kept.push(call)
    else {
      kept[oldest] = call
      oldest = (oldest + 1) % maxCalls
    }
  }
  const gate = {
    kind: 'gate',
    admit: (): number => clock.now(),
    settle: (startedAt: number, ok: boolean, value: unknown, call: Call): void => {
      if (verdictOf(ok, value, call) === 'ignored') return
      const status = ok ? undefined : statusOf(value)
      keep({
        atMs: startedAt,
        durationMs: clock.now() - startedAt,
        ok,
        ...(status !== undefined && { status }),
        ...(call.key !== undefined && { key: call.key }),
        ...(call.priority !== 'normal' && { priority: call.priority }),
      })
    },
  } as const
  return {
    policy: policy({ name, clock, parts: gate, status: () => ({ recorded: kept.length }) }),
    calls: () => {
      const sorted = kept.toSorted((one, other) => one.atMs - other.atMs)
      const startMs = sorted[0]?.atMs ?? 0
      return sorted.map((call) => ({ ...call, atMs: call.atMs - startMs }))
    },
    clear: () => {
      kept = []
      oldest = 0
    },
  }
}
