import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faultTolerantSystem, type FaultTolerantSystem } from 'holdfast/system'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { onTestFinished } from 'vitest'
import type { RequestRecord } from '../gateway/index.ts'
import { History, type HistoryOptions } from './history.ts'

export interface HistoryScene {
  readonly clock: FakeClock
  readonly system: FaultTolerantSystem
  readonly history: History
  readonly problems: (string | undefined)[]
  /** A dependency behind a circuit breaker and a quota of its name. */
  add(name: string): void
  /** `count` requests that ended, each with one attempt. */
  requests(name: string, count: number, record?: Partial<RequestRecord>, attemptMs?: number): void
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-history-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A history on a fake clock, whose wall clock begins at `at`; in memory, or in a file. */
export function historyScene(options: Partial<HistoryOptions> & { readonly at?: number } = {}): HistoryScene {
  const clock = fakeClock({ wallMs: options.at ?? startOfHour })
  const system = faultTolerantSystem({ clock })
  const problems: (string | undefined)[] = []
  const history = new History({
    path: undefined,
    maxAge: 7 * 86_400_000,
    maxSize: 64 * 1024 * 1024,
    version: '1.0.0',
    onProblem: (problem) => problems.push(problem),
    ...options,
    system,
  })
  history.open()
  return {
    clock,
    system,
    history,
    problems,
    add: (name) => {
      if (!system.has(`circuit-breaker/${name}`)) {
        system.createCircuitBreaker(name, { failureThreshold: 1, openFor: '60s' })
        system.createRateLimiter(`${name}-quota`, { limit: Infinity })
      }
      history.add({ name, policies: [`circuit-breaker/${name}`, `rate-limiter/${name}-quota`], isFailure: (status) => status >= 500 })
    },
    requests: (name, count, record = {}, attemptMs = 10) => {
      const recorder = history.recorder(name)
      if (recorder === undefined) throw new Error(`nobody records ${name}`)
      for (let made = 0; made < count; made++) {
        const whole = requestRecord({ upstream: name, ...record })
        for (let attempt = 0; attempt < whole.attempts; attempt++) {
          const permit = recorder.gates.attempt.admit(undefined as never, undefined) as number
          recorder.gates.attempt.settle(permit - attemptMs, whole.status < 500, undefined, { cancelled: undefined } as never)
          recorder.gates.attempt.leave?.(permit)
        }
        recorder.request(whole)
      }
    },
  }
}

/** 2026-01-01 00:00 UTC: a multiple of every bucket's length. */
export const startOfHour = 1_767_225_600_000

function requestRecord(record: Partial<RequestRecord>): RequestRecord {
  return {
    upstream: 'llm',
    method: 'GET',
    status: 200,
    cause: undefined,
    attempts: 1,
    durationMs: 10,
    bytes: 0,
    ...record,
  } as RequestRecord
}
