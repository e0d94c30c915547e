import { readFileSync } from 'node:fs'
import { bulkhead, circuitBreaker, rateLimiter, retry, retryBudget, timeout } from 'holdfast'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { workspace } from './config.fixture.ts'
import type { ReliabilityConfig } from './config.ts'
import type { FailedConfig, LoadedConfig } from './load-config.ts'
import { formatProblem, type ConfigProblem } from './problems.ts'
import { redactedConfig } from './redact.ts'

const space = workspace()
afterAll(() => space.remove())

const demo = readFileSync(new URL('../../../cli/assets/demo/reliability.yml', import.meta.url), 'utf8')

interface Trial {
  readonly result: LoadedConfig | FailedConfig
  /** What should not be, whatever the text. */
  readonly broken: readonly string[]
}

/** Loads a text and checks what must hold for any text whatever. */
function attempt(text: string): Trial {
  space.write('config/reliability.yml', text)
  const result = space.load({ CANARY: 'sk-canary' })
  const lines = text.replace(/^\ufeff/, '').split('\n')
  const problems = [...(result.ok ? [] : result.errors), ...result.warnings]
  const broken = problems.flatMap((problem) => [
    ...(isInside(problem, lines) ? [] : [`outside the file: ${formatProblem(problem)}`]),
    ...(readsWell(problem) ? [] : [`reads badly: ${formatProblem(problem)}`]),
  ])
  if (!result.ok && result.errors.length === 0) broken.push('failed without an error')
  return { result, broken: result.ok ? [...broken, ...unusable(result.config)] : broken }
}

function isInside({ line, column }: ConfigProblem, lines: readonly string[]): boolean {
  return line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1] ?? '').length + 1
}

function readsWell(problem: ConfigProblem): boolean {
  const shown = formatProblem(problem)
  const mayNameVariable = problem.path.startsWith('include') // the names of files must be shown, wherever they come from
  return (
    /^config\/reliability\.yml:\d+:\d+ \S/.test(shown) &&
    !/\n|\[object|undefined/.test(shown) &&
    (mayNameVariable || !shown.includes('sk-canary'))
  )
}

/** What the library would not take, or what lies out of its range. */
function unusable(config: ReliabilityConfig): readonly string[] {
  const { circuitBreakers, retryPolicies, rateLimiters, bulkheads, timeouts, upstreams, server } = config
  for (const settings of Object.values(circuitBreakers)) circuitBreaker(settings)
  for (const { budget, ...options } of Object.values(retryPolicies))
    retry(budget === undefined ? options : { ...options, budget: retryBudget(budget) })
  for (const { key: by, ...options } of Object.values(rateLimiters)) rateLimiter({ ...options, keyOf: () => by })
  for (const settings of Object.values(bulkheads)) bulkhead(settings)
  for (const settings of Object.values(timeouts)) timeout(settings)
  const ports = [server.gateway.port, server.control.port].filter((port) => !Number.isInteger(port) || port < 0 || port > 65_535)
  const bad = Object.values(upstreams).filter(({ url, connections, pipeline }) => {
    return !/^https?:$/.test(new URL(url).protocol) || connections < 1 || pipeline.order.some((step) => pipeline[step] === undefined)
  })
  JSON.stringify(redactedConfig(config))
  return [...ports.map((port) => `port ${port}`), ...bad.map(({ name }) => `upstream ${name}`)]
}

const words = `
  server gateway control port host tokens circuitBreakers retryPolicies timeouts bulkheads rateLimiters fallbacks
  healthChecks upstreams llm url headers pipeline retry circuit_breaker attemptTimeout order openFor open_for timeout
  maxAttempts max_retries maxConcurrent limit window json body status failureStatuses name after include bodyFile valueFile __proto__ x-y <<
`
const key = fc.constantFrom(...words.trim().split(/\s+/))
const scalar = fc.oneof(
  fc.constantFrom(
    '5s',
    '85%',
    70,
    0,
    -1,
    1.5,
    '10sec',
    true,
    null,
    '',
    '${CANARY}',
    '${NONE}',
    '${NONE:-5s}',
    '$${',
    'http://a',
    'llm',
    '5xx',
    429,
    'sha256:',
    'a\nb\u202e',
    '${file:a\nb}',
    '../*',
    'reliability.yml',
    Number.NaN,
  ),
  fc.string(),
  fc.double(),
)
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  ),
})).value
const document = fc.dictionary(key, tree, { maxKeys: 6 })

describe('loadConfig, whatever it is given', () => {
  it('answers any document with a usable configuration, or with problems inside the file', () => {
    fc.assert(
      fc.property(document, (value) => {
        expect(attempt(stringify(value)).broken).toEqual([])
      }),
      { seed: 71, numRuns: 250 },
    )
  })

  it('answers any text likewise', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '|',
      '>',
      '#',
      '?',
      ',',
      '%',
      'a',
      '🙂',
      '\n',
      '\t',
      '\u0085',
      '\ufeff',
      '  ',
      '- ',
      ': ',
      '&a',
      '*a',
      '!t',
    ]
    const piece = fc.constantFrom(...pieces, '---\n', '${', 'CANARY', '\r\n', 'server')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (written) => {
        expect(attempt(written.join('')).broken).toEqual([])
      }),
      { seed: 71, numRuns: 150 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(attempt(text).broken).toEqual([])
      }),
      { seed: 71, numRuns: 150 },
    )
  })

  it('answers a damaged document likewise', () => {
    const damage = fc.record({
      at: fc.nat({ max: demo.length }),
      remove: fc.nat({ max: 12 }),
      insert: fc.oneof(
        fc.constant(''),
        fc.constantFrom(' ', '\n', ': ', '- ', '}', '"', '${CANARY}', '70', '\t', 'x', '&a ', '*a', '# '),
        fc.string({ maxLength: 4 }),
      ),
    })
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const damaged = damages.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), demo)
        expect(attempt(damaged).broken).toEqual([])
      }),
      { seed: 71, numRuns: 150 },
    )
  })

  it('a misspelt key is found where it stands, and the right one suggested', () => {
    const keys = [
      ...demo.matchAll(
        /^( +)(failureRatio|openFor|maxAttempts|initialDelay|maxConcurrent|attemptTimeout|connections|bodyIdleTimeout)(?=:)/gm,
      ),
    ]
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.nat(), (match, random) => {
        const [, indent = '', name = ''] = match
        const swapAt = random % (name.length - 1)
        const misspelt = name.slice(0, swapAt) + name[swapAt + 1] + name[swapAt] + name.slice(swapAt + 2)
        fc.pre(misspelt !== name)
        const start = match.index + indent.length
        const { result } = attempt(demo.slice(0, start) + misspelt + demo.slice(start + name.length))
        const found = result.ok ? undefined : result.errors.find(({ path }) => path.endsWith(`.${misspelt}`))
        expect(found).toMatchObject({ line: demo.slice(0, start).split('\n').length, column: indent.length + 1, suggestion: name })
      }),
      { seed: 71, numRuns: 40 },
    )
  })
})
