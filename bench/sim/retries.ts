import { policy, retry, retryBudget, type Clock, type Flow, type Policy } from 'holdfast'
import { retryScenarios, simulate, type PipelineFactory } from 'holdfast/testing'
import { median, percent, table } from './figures.ts'

const delayMs = 10
const maxAttempts = 3
const plain = { maxAttempts, backoff: 'constant', initialDelay: delayMs, jitter: 'none', retryOn: (): boolean => true } as const

interface Tokens {
  readonly max: number
  readonly perRetry: number
  readonly perSuccess: number
}

/** Retries paid from a bucket that successes fill, as in gRPC and in the AWS SDKs. */
function tokenRetry({ max, perRetry, perSuccess }: Tokens, clock: Clock): Policy {
  let tokens = max
  const flow: Flow = {
    kind: 'flow',
    start: (next, call, out) => {
      const attempt = (number: number): void =>
        next.start(call, {
          settle: (ok, value) => {
            if (ok) tokens = Math.min(max, tokens + (number > 1 ? Math.max(perRetry >= 5 ? perRetry : 0, perSuccess) : perSuccess))
            if (ok || number === maxAttempts || tokens < perRetry) {
              out.settle(ok, value)
              return
            }
            tokens -= perRetry
            clock.setTimer(() => attempt(number + 1), delayMs)
          },
        })
      attempt(1)
    },
  }
  return policy({ name: 'token-retry', clock, parts: flow })
}

const contestants: readonly (readonly [name: string, make: PipelineFactory])[] = [
  ['**retry**, no budget', ({ clock, random }) => retry({ ...plain, clock, random })],
  ['**retry**, default budget (20 % and 10/s)', ({ clock, random }) => retry({ ...plain, budget: retryBudget({ clock }), clock, random })],
  [
    '**retry**, budget of 10 %',
    ({ clock, random }) => retry({ ...plain, budget: retryBudget({ ratio: 0.1, minPerSecond: 0, clock }), clock, random }),
  ],
  ['token bucket of 10, 0.1 per success', ({ clock }) => tokenRetry({ max: 10, perRetry: 1, perSuccess: 0.1 }, clock)],
  ['token bucket of 500, 5 per retry', ({ clock }) => tokenRetry({ max: 500, perRetry: 5, perSuccess: 1 }, clock)],
]

/** The section on retries and their budgets. */
export async function retrySection(seeds: readonly number[]): Promise<readonly string[]> {
  const rows: string[][] = []
  for (const [name, make] of contestants) {
    const cells = [name]
    for (const scenario of retryScenarios) {
      const reports = []
      for (const seed of seeds) reports.push(await simulate(scenario, make, { seed }))
      const goodput = median(reports.map(({ phases }) => phases[0]!.goodput))
      const load = median(reports.map(({ phases }) => phases[0]!.attemptsPerRequest))
      cells.push(`${percent(goodput)} / ${load.toFixed(2)}`)
    }
    rows.push(cells)
  }
  return [
    '## Retries and their budgets',
    '',
    'Two retries, 200 requests per second. A share of the attempts fails, at random: success % / load, where 1 is the load without retries.',
    '',
    ...table(['', ...retryScenarios.map(({ name }) => name.split(' fail')[0] as string)], rows),
  ]
}
