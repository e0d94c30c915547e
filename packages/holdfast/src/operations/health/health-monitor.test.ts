import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../core/fake-clock.ts'
import { healthMonitor } from './health-monitor.ts'

describe('health monitor', () => {
  it('is healthy without parts, and says so in words', () => {
    expect(healthMonitor({ clock: fakeClock() }).current()).toMatchObject({ status: 'pass', summary: 'healthy', ready: true, reasons: [] })
  })

  it('degrades for a component, even one that says fail, with its reason', () => {
    const monitor = healthMonitor({ clock: fakeClock() })
    monitor.registerComponent('circuit-breaker/x', 'circuit-breaker', () => ({ status: 'fail', reason: 'it broke' }))
    expect(monitor.current()).toMatchObject({ status: 'warn', summary: 'degraded', ready: true, reasons: ['it broke'] })
  })

  it('22: takes a component or check that throws anything for failed, and lives on', async () => {
    const monitor = healthMonitor({ clock: fakeClock() })
    monitor.registerComponent('a', 'custom', () => {
      throw new Error('boom')
    })
    for (const [name, thrown] of Object.entries({ text: 'down', nothing: undefined, null: null })) {
      monitor.registerCheck(name, {
        check: () => {
          throw thrown
        },
      })
    }
    const report = await monitor.report()
    expect(report.components['a']).toMatchObject({ status: 'fail', reason: 'boom' })
    expect(report.checks['text']).toMatchObject({ status: 'fail', reason: 'down' })
    expect(report.checks['nothing']?.status).toBe('fail')
    expect(report.checks['null']?.status).toBe('fail')
  })

  it('20: only a critical check decides readiness', async () => {
    const clock = fakeClock()
    const monitor = healthMonitor({ clock })
    monitor.registerCheck('cache', { check: () => false })
    expect(await monitor.report()).toMatchObject({ status: 'warn', ready: true })
    monitor.registerCheck('database', { check: () => false, critical: true })
    expect(await monitor.report()).toMatchObject({ status: 'fail', ready: false, summary: 'unhealthy' })
  })

  it('is not ready before a critical check has ever passed', async () => {
    const monitor = healthMonitor({ clock: fakeClock() })
    monitor.registerCheck('database', { check: () => true, critical: true })
    expect(monitor.current()).toMatchObject({ status: 'unknown', ready: false })
    expect(await monitor.report()).toMatchObject({ status: 'pass', ready: true })
  })

  it('21: a check that never settles fails at its timeout, is told so, and is never run twice at the same time', async () => {
    const clock = fakeClock()
    let running = 0
    let most = 0
    let aborted = false
    const monitor = healthMonitor({ clock })
    monitor.registerCheck('hung', {
      timeout: '1s',
      check: ({ signal }) => {
        most = Math.max(most, ++running)
        signal.addEventListener('abort', () => {
          aborted = true
          running--
        })
        return new Promise(() => {})
      },
    })
    const reports = Array.from({ length: 1_000 }, () => monitor.report())
    await clock.advance('1s')
    const [first] = await Promise.all(reports)
    expect(first?.checks['hung']).toMatchObject({ status: 'fail', reason: 'no answer within 1000 ms' })
    expect([most, aborted]).toEqual([1, true])
  })

  it('S34: tells of each check how old its answer is, how long it took, and how it last failed, also after it passes again', async () => {
    const clock = fakeClock()
    let works = false
    const monitor = healthMonitor({ clock })
    monitor.registerCheck('database', {
      ttl: '5s',
      check: async () => {
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 30))
        return works ? undefined : { status: 'fail', reason: 'answered 503' }
      },
    })
    expect(monitor.current().checks['database']).toMatchObject({ checkedAt: null, ageMs: null, tookMs: null, lastFailure: null })
    const failed = monitor.report()
    await clock.advance('30ms')
    const at = clock.wallNow()
    expect((await failed).checks['database']).toMatchObject({
      status: 'fail',
      ageMs: 0,
      tookMs: 30,
      lastFailure: { at, reason: 'answered 503' },
    })
    works = true
    await clock.advance('6s')
    const passed = monitor.report()
    await clock.advance('30ms')
    await passed
    await clock.advance('2s')
    expect(monitor.current().checks['database']).toEqual({
      status: 'pass',
      critical: false,
      checkedAt: clock.wallNow() - 2_000,
      ageMs: 2_000,
      tookMs: 30,
      lastFailure: { at, reason: 'answered 503' },
    })
  })

  it('28: asks a dependency no oftener than its ttl', async () => {
    const clock = fakeClock()
    let asked = 0
    const monitor = healthMonitor({ clock })
    monitor.registerCheck('database', { ttl: '5s', check: () => void asked++ })
    for (let probe = 0; probe < 10; probe++) await monitor.report()
    expect(asked).toBe(1)
    await clock.advance('5s')
    await monitor.report()
    expect(asked).toBe(2)
  })

  it('23: a dependency that is up but slower than its timeout fails', async () => {
    const clock = fakeClock()
    const monitor = healthMonitor({ clock })
    monitor.registerCheck('slow', { timeout: 200, check: () => new Promise((resolve) => void clock.setTimer(() => resolve(true), 30_000)) })
    const report = monitor.report()
    await clock.advance(200)
    expect((await report).checks['slow']?.status).toBe('fail')
  })

  it('understands what checks answer, and takes junk for failure', async () => {
    const answers: Record<string, unknown> = {
      nothing: undefined,
      yes: true,
      up: 'UP'.toLowerCase(),
      object: { status: 'pass' },
      healthy: { healthy: true },
      response: { ok: true, status: 200 },
      degraded: { status: 'degraded', reason: 'lagging' },
      down: { status: 'down' },
      junk: 42,
      other: { something: 'else' },
    }
    const monitor = healthMonitor({ clock: fakeClock() })
    for (const [name, answer] of Object.entries(answers)) monitor.registerCheck(name, { check: () => answer })
    const { checks } = await monitor.report()
    const statuses = Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, status]))
    expect(statuses).toEqual({
      nothing: 'pass',
      yes: 'pass',
      up: 'pass',
      object: 'pass',
      healthy: 'pass',
      response: 'pass',
      degraded: 'warn',
      down: 'fail',
      junk: 'fail',
      other: 'fail',
    })
  })

  it('27: shows no credential of a connection string or header that stands in an error', async () => {
    const monitor = healthMonitor({ clock: fakeClock() })
    monitor.registerCheck('database', {
      check: () => {
        throw new Error('cannot reach postgres://app:hunter2@db:5432/x with password=hunter2, Authorization: Bearer sk-12345')
      },
    })
    const text = JSON.stringify(await monitor.report())
    expect(text).not.toContain('hunter2')
    expect(text).not.toContain('sk-12345')
    expect(text).toContain('cannot reach postgres://[redacted]@db:5432/x')
  })

  it('refuses a name twice, and frees it when the part is taken out', () => {
    const monitor = healthMonitor({ clock: fakeClock() })
    const end = monitor.registerComponent('x', 'custom', () => ({ status: 'pass' }))
    expect(() => monitor.registerCheck('x', { check: () => true })).toThrow("'x' is registered already")
    end()
    monitor.registerCheck('x', { check: () => true })
  })

  it('refuses bad options, naming them', () => {
    const monitor = healthMonitor({ clock: fakeClock() })
    expect(() => monitor.registerCheck('x', { check: 5 as never })).toThrow("option 'check' must be a function, got 5")
    expect(() => monitor.registerCheck('x', { check: () => true, timeout: '0s' })).toThrow("option 'timeout'")
    expect(() => monitor.registerCheck('x', { chek: () => true } as never)).toThrow("did you mean 'check'?")
  })
})
