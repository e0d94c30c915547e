import { childCall, HoldfastError, policy, type Clock, type Flow, type Policy } from 'holdfast'
import { simulate, timeoutScenarios, type PipelineFactory } from 'holdfast/testing'
import { median, ms, percent, table } from './figures.ts'
import { GuardedTimeout, QuantileTimeout, staticTimeout, TcpTimeout, type TimeoutRule } from './timeout-rules.ts'

const rules: readonly (readonly [name: string, make: () => TimeoutRule])[] = [
  ['static 1 s', () => staticTimeout(1_000)],
  ['p99 of successes', () => new QuantileTimeout(0.99, 1)],
  ['p95 · 1.1 of successes', () => new QuantileTimeout(0.95, 1.1)],
  ['p99 · 1.5 of successes', () => new QuantileTimeout(0.99, 1.5)],
  ['p95 · 2 of successes', () => new QuantileTimeout(0.95, 2)],
  ['p99 · 1.5, timeouts counted', () => new QuantileTimeout(0.99, 1.5, true)],
  ['TCP retransmission timeout', () => new TcpTimeout()],
  ['guarded rule', () => new GuardedTimeout()],
]

/** A rule as a policy. */
export function ruleTimeout(rule: TimeoutRule, clock: Clock): Policy {
  const flow: Flow = {
    kind: 'flow',
    start: (next, call, out) => {
      const startedAt = clock.now()
      const child = childCall(call)
      let over = false
      const end = (timedOut: boolean): boolean => {
        if (over) return false
        over = true
        timer.cancel()
        rule.ended(clock.now() - startedAt, timedOut)
        child.close()
        return true
      }
      const timer = clock.setTimer(() => {
        if (!end(true)) return
        const error = new HoldfastError({ code: 'ERR_TIMEOUT', policy: 'rule' })
        child.cancel(error)
        out.settle(false, error)
      }, rule.timeoutMs())
      next.start(child, { settle: (ok, value) => end(false) && out.settle(ok, value) })
    },
  }
  return policy({ name: 'rule', clock, parts: flow })
}

/** The section on timeouts that follow latency. */
export async function timeoutSection(seeds: readonly number[]): Promise<readonly string[]> {
  const rows: string[][] = []
  for (const [name, make] of rules) {
    const cells = [name]
    const pipeline: PipelineFactory = ({ clock }) => ruleTimeout(make(), clock)
    for (const scenario of timeoutScenarios) {
      const reports = []
      for (const seed of seeds) reports.push(await simulate(scenario, pipeline, { seed, bin: '60s' }))
      if (scenario.name === 'hung calls') {
        const waits = reports.map(({ phases }) => phases[0]!.meanEndMs ?? Number.NaN)
        const after = reports.map(({ phases }) => phases[1]!.outcomes.timedOut / phases[1]!.offered)
        cells.push(ms(median(waits)), percent(median(after), 2))
        continue
      }
      const all = median(reports.map(({ outcomes, offered }) => outcomes.timedOut / offered))
      const last = median(reports.map(({ phases }) => phases[0]!.outcomes.timedOut / phases[0]!.offered))
      cells.push(`${percent(all, 2)} (${percent(last, 2)})`)
    }
    rows.push(cells)
  }
  const steady = timeoutScenarios.filter(({ name }) => name !== 'hung calls').map(({ name }) => name)
  return [
    '## Timeouts that follow latency',
    '',
    'Calls of 100 ms (log-normal, σ 0.5), 20 per second, 20,000 of them. Every call would be answered, so each timeout is a false one: % of all',
    'calls, and in brackets of the last tenth. The last two columns are an outage in which no call answers for a minute: how long a caller waited',
    'for each of its calls, and false timeouts after it.',
    '',
    ...table(['', ...steady, 'wait in an outage, ms', 'false after it'], rows),
  ]
}
