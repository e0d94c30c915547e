import { readFileSync } from 'node:fs'
import { bulkhead, circuitBreaker, rateLimiter, retry, retryBudget, timeout } from 'holdfast'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { workspace } from './config.fixture.ts'
import type { ReliabilityConfig } from './config.ts'
import type { FailedConfig, LoadedConfig } from './load-config.ts'
import { formatProblem } from './problems.ts'
import { redactedConfig } from './redact.ts'

const space = workspace()
afterAll(() => space.remove())

const demo = readFileSync(new URL('../../../cli/assets/demo/reliability.yml', import.meta.url), 'utf8')

/** Loads a text and checks what must hold for any text whatever. */
function load(text: string): LoadedConfig | FailedConfig {
  space.write('config/reliability.yml', text)
  const result = space.load({ CANARY: 'sk-canary' })
  const lines = text.replace(/^\ufeff/, '').split('\n')
  if (!result.ok) expect(result.errors.length).toBeGreaterThan(0)
  for (const problem of [...(result.ok ? [] : result.errors), ...result.warnings]) {
    const { line, column } = problem
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(lines.length)
    expect(column).toBeGreaterThanOrEqual(1)
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1)
    expect(formatProblem(problem)).toMatch(/^config\/reliability\.yml:\d+:\d+ \S/)
    expect(formatProblem(problem)).not.toMatch(/\n|sk-canary|\[object|undefined/)
  }
  if (result.ok) mustBeUsable(result.config)
  return result
}

/** The library takes every policy as it is; every number is in its range. */
function mustBeUsable(config: ReliabilityConfig): void {
  for (const settings of Object.values(config.circuitBreakers)) circuitBreaker(settings)
  for (const { budget, ...options } of Object.values(config.retryPolicies))
    retry(budget === undefined ? options : { ...options, budget: retryBudget(budget) })
  for (const { key: _, ...options } of Object.values(config.rateLimiters)) rateLimiter(options)
  for (const settings of Object.values(config.bulkheads)) bulkhead(settings)
  for (const settings of Object.values(config.timeouts)) timeout(settings)
  for (const { pipeline, url, connections } of Object.values(config.upstreams)) {
    expect(['http:', 'https:']).toContain(new URL(url).protocol)
    expect(connections).toBeGreaterThanOrEqual(1)
    for (const step of pipeline.order) expect(pipeline[step]).toBeDefined()
  }
  const { gateway, control } = config.server
  for (const { port } of [gateway, control]) expect(Number.isInteger(port) && port >= 0 && port <= 65_535).toBe(true)
  expect(JSON.stringify(redactedConfig(config))).toBeTypeOf('string')
}

const key = fc.constantFrom(
  'server', 'gateway', 'control', 'port', 'host', 'tokens', 'circuitBreakers', 'retryPolicies', 'timeouts', 'bulkheads', 'rateLimiters', 'fallbacks',
  'healthChecks', 'upstreams', 'llm', 'url', 'headers', 'pipeline', 'retry', 'circuit_breaker', 'attemptTimeout', 'order', 'openFor', 'open_for', 'timeout',
  'maxAttempts', 'max_retries', 'maxConcurrent', 'limit', 'window', 'json', 'body', 'status', 'failureStatuses', 'name', 'after', '__proto__', 'x-y', '<<',
) // prettier-ignore
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
      fc.property(document, (value) => void load(stringify(value))),
      { numRuns: 400 },
    )
  })

  it('answers any text likewise', () => {
    const piece = fc.constantFrom(
      '\n',
      '  ',
      '- ',
      ': ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '|',
      '>',
      '&a',
      '*a',
      '!t',
      '#',
      '?',
      ',',
      '%',
      '---\n',
      '${',
      'CANARY',
      '\t',
      '\r\n',
      'server',
      'a',
      '\ufeff',
      '\u0085',
      '🙂',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void load(pieces.join(''))),
      { numRuns: 600 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void load(text)),
      { numRuns: 300 },
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
        void load(damages.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), demo))
      }),
      { numRuns: 300 },
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
        const result = load(demo.slice(0, start) + misspelt + demo.slice(start + name.length))
        const found = result.ok ? undefined : result.errors.find(({ path }) => path.endsWith(`.${misspelt}`))
        expect(found).toMatchObject({ line: demo.slice(0, start).split('\n').length, column: indent.length + 1, suggestion: name })
      }),
      { numRuns: 60 },
    )
  })
})
