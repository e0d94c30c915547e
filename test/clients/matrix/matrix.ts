import { Cleanup, startHoldfast } from '../../support/server.ts'
import { clients, OnlyInCallback, type Client } from './clients.ts'
import type { Provider } from './providers.ts'
import { retryScenarios, scenarios, type Scenario } from './scenarios.ts'

export type Mode = 'complete' | 'stream'

/** Requests to the provider that the gateway's policies allow for one request of a client. */
export const allowedAttempts = 3

/** What openai, Anthropic's client and ai retry by themselves unless they are told otherwise. */
export const usualRetries = 2

/** Above the longest that the gateway's limits and the clients' own back-off add up to. Whoever waits longer hangs. */
const hangMs = 40_000
const atOnce = 24

/** What one client saw of one fault. */
export interface Cell {
  readonly scenario: Scenario
  readonly client: Client
  readonly mode: Mode
  /** The client's own retries. */
  readonly maxRetries: number
  /** The text that came, however it ended. */
  readonly text: string
  /** The text of a whole answer. */
  readonly wholeText: string
  /** What the client threw, or told its callback; undefined when it took the answer for whole. */
  readonly error: unknown
  /** Whether the test had to end it. */
  readonly hung: boolean
  /** Requests that reached the provider. */
  readonly asked: number
}

interface Plan extends Pick<Cell, 'scenario' | 'client' | 'mode' | 'maxRetries'> {
  readonly upstream: string
}

/** Runs every client against every fault, through one gateway in which each pair has an upstream of its own. */
export async function runMatrix(): Promise<readonly Cell[]> {
  const cleanup = new Cleanup()
  try {
    const plans = plan()
    const providers = await Promise.all(plans.map(({ scenario, client }) => scenario.provider(client.wire, cleanup)))
    const { gatewayUrl } = await startHoldfast(plans.map((each, index) => upstreamYaml(each, providers[index]!)).join(''), cleanup)
    return await inParallel(plans, (each, index) => runCell(each, providers[index]!, `${gatewayUrl}/${each.upstream}`))
  } finally {
    await cleanup.run()
  }
}

function plan(): readonly Plan[] {
  const pairs = (of: readonly Scenario[], mode: Mode, maxRetries: number): readonly Omit<Plan, 'upstream'>[] =>
    of.flatMap((scenario) => clients.map((client) => ({ scenario, client, mode, maxRetries })))
  const notStreamed = scenarios.filter(({ streamedOnly }) => streamedOnly !== true)
  const slowestFirst = [
    ...pairs(retryScenarios, 'complete', usualRetries),
    ...pairs(scenarios, 'stream', 0),
    ...pairs(notStreamed, 'complete', 0),
  ]
  return slowestFirst.map((each, index) => ({ ...each, upstream: `cell-${index}` }))
}

function upstreamYaml({ upstream, scenario }: Plan, { url }: Provider): string {
  const breaker = scenario.breaker === true ? '      circuitBreaker: { failureThreshold: 1, openFor: 60s }\n' : ''
  return `${upstream === 'cell-0' ? 'upstreams:\n' : ''}  ${upstream}:
    url: ${url}
    retryMethods: [GET, POST]
    bodyIdleTimeout: 1s
    quota: { maxPause: 5s }
    pipeline:
      totalTimeout: 12s
      retry: { maxAttempts: ${allowedAttempts}, initialDelay: 10ms, maxDelay: 50ms, maxRetryAfter: 5s }
${breaker}      attemptTimeout: 1500ms
`
}

async function runCell(each: Plan, provider: Provider, url: string): Promise<Cell> {
  const { scenario, client, mode, maxRetries } = each
  await scenario.prepare?.(provider, client.wire, url)
  const before = provider.asked()
  const late = AbortSignal.timeout(hangMs)
  let text = ''
  let error: unknown
  try {
    await client[mode]({ url, maxRetries, signal: late, onText: (more) => void (text += more) })
  } catch (thrown) {
    error = thrown
  }
  const { text: wholeText } = provider
  return { scenario, client, mode, maxRetries, text, wholeText, error, hung: late.aborted, asked: provider.asked() - before }
}

async function inParallel<T, R>(items: readonly T[], run: (item: T, index: number) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await run(item, index)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}

/** What the client saw, in few words that are the same in every run. */
export function describeCell({ text, wholeText, error, hung }: Cell): string {
  if (hung) return 'hangs'
  if (error === undefined) return text === wholeText ? 'answer' : 'part, taken for the whole'
  const told = error instanceof OnlyInCallback
  return `${text === '' ? '' : 'part, then '}${describeError(told ? error.cause : error)}${told ? ' (onError)' : ''}`
}

function describeError(error: unknown): string {
  const root = (error as { lastError?: object }).lastError ?? (error as object) // `ai` wraps what it gave up on
  const { name, status, statusCode, code } = root as { name?: string; status?: number; statusCode?: number; code?: unknown }
  const kind = root instanceof Error ? (root.constructor === Error ? name : root.constructor.name) : 'plain object'
  return `\`${[kind, status ?? statusCode, typeof code === 'string' ? code : undefined].filter((part) => part !== undefined).join(' ')}\``
}
