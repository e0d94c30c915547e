import { describe, expect, it } from 'vitest'
import { errorsOf, loaded, loadText } from './config.fixture.ts'

const minimal = 'upstreams:\n  llm:\n    url: http://127.0.0.1:9001\n    pipeline: { attemptTimeout: 5s }\n'

/** The problems, and the processor time it took to find them, in ms: the machine's other work does not count. */
function timed(text: string | Uint8Array): { errors: readonly string[]; ms: number } {
  const before = process.cpuUsage()
  const errors = errorsOf(loadText(text))
  const { user, system } = process.cpuUsage(before)
  return { errors, ms: (user + system) / 1_000 }
}

describe('S74: files that are odd but right', () => {
  it.each([
    ['nothing', ''],
    ['blank lines', '\n\n  \n'],
    ['only comments', '# nothing yet\n'],
    ['a document start', '---\n'],
    ['sections without content', 'server:\nupstreams:\n'],
  ])('%s is the configuration of all defaults', (_, text) => {
    const { config, warnings } = loaded(loadText(text))
    expect(config.server.gateway.port).toBe(8080)
    expect(warnings.map(({ message }) => message)).toEqual(['there is no upstream, so the gateway has nothing to forward to'])
  })

  it.each([
    ['a byte order mark', `\ufeff${minimal}`],
    ['CRLF line ends', minimal.replaceAll('\n', '\r\n')],
    ['both', `\ufeff${minimal.replaceAll('\n', '\r\n')}`],
    ['no line end at the end', minimal.trimEnd()],
    ['a document end', `---\n${minimal}...\n`],
    ['JSON', '{"upstreams": {"llm": {"url": "http://127.0.0.1:9001", "pipeline": {"attemptTimeout": "5s"}}}}'],
  ])('%s makes no difference', (_, text) => {
    const { config, warnings } = loaded(loadText(text))
    expect(warnings).toEqual([])
    expect(config.upstreams.llm?.url).toBe('http://127.0.0.1:9001')
    expect(config.upstreams.llm?.pipeline.attemptTimeout?.after).toBe(5_000)
  })

  it('counts lines and columns the same with CRLF and a byte order mark', () => {
    const text = 'server:\n  gateway:\n    prot: 1\n'
    const expected = errorsOf(loadText(text))
    expect(expected[0]).toMatch(/^3:5 server\.gateway\.prot: /)
    expect(errorsOf(loadText(`\ufeff${text.replaceAll('\n', '\r\n')}`))).toEqual(expected)
  })

  it('follows anchors, aliases and merge keys, and leaves x-… sections to them', () => {
    const { config } = loaded(
      loadText(`
x-defaults: &defaults { openFor: 3s, failureThreshold: 7 }
circuitBreakers:
  a: { <<: *defaults, openFor: 9s }
  b: *defaults
upstreams:
  a: { url: 'http://a', pipeline: { circuitBreaker: a, attemptTimeout: &short 2s } }
  b: { url: 'http://b', pipeline: { circuitBreaker: b, attemptTimeout: *short } }
`),
    )
    expect(config.circuitBreakers.a).toMatchObject({ openFor: 9_000, failureThreshold: 7 })
    expect(config.circuitBreakers.b).toMatchObject({ openFor: 3_000, failureThreshold: 7 })
    expect(config.upstreams.b?.pipeline.attemptTimeout?.after).toBe(2_000)
  })

  it('the most recent anchor of a name counts', () => {
    const { config } = loaded(loadText('x-a: [&t 1s, &t 2s]\ntimeouts: { x: *t }\n'))
    expect(config.timeouts.x?.after).toBe(2_000)
  })
})

describe('S74: files that are wrong', () => {
  it.each([
    ['duplicate keys', 'server:\n  dataDir: a\n  dataDir: b\n', /^3:3 server\.dataDir: is given twice; first in line 2$/],
    ['tabs as indentation', 'server:\n\tdataDir: a\n', /^2:1 tabs cannot indent: use spaces$/],
    ['several documents', 'server: {}\n---\nserver: {}\n', /^2:1 a file holds one document/],
    ['a NUL byte', 'server:\n  dataDir: "a\0b"\n', /^2:14 a NUL byte is not allowed/],
    ['a control character', 'server: \u0007\n', /^1:9 control character U\+0007 is not allowed/],
    ['a quote that is never closed', 'server: { dataDir: "a }\n', /^\d+:\d+ a quoted text is never closed/],
    ['a bracket that is never closed', 'server: { dataDir: a\n', /^\d+:\d+ a bracket above is not closed/],
    ['a tag', 'server: !!js/function "x"\n', /^1:9 tags \(!name\) are not supported$/],
    ['a %YAML 1.1 directive with old booleans', '%YAML 1.1\n---\nserver: { dataDir: yes }\n', /dataDir: must be a text, got true$/],
    ['an alias without anchor', 'server: *nothing\n', /^1:9 server: the alias \*nothing has no anchor \(&nothing\) above it$/],
    ['an alias inside its own value', 'server: &a { log: *a }\n', /^1:19 server\.log: the alias \*a stands inside the value it refers to$/],
    ['a merge key without a map', 'server: { <<: 5 }\n', /^1:11 server: '<<' must be followed by an alias/],
    ['a key that is a list', '? [a, b]\n: c\n', /^1:3 a key must be a plain text$/],
    ['a list', '- a\n', /^1:1 a configuration file must hold a map of sections/],
    ['a text', 'hello\n', /^1:1 a configuration file must hold a map of sections/],
    ['${…} without quotes in brackets', 'server: { dataDir: ${DIR} }\n', /inside \{ \} and \[ \] a '\$\{…\}' needs quotes around it$/],
  ])('%s: a clear error at its place', (_, text, message) => {
    expect(errorsOf(loadText(text))[0]).toMatch(message)
  })

  it('names the encoding that is not UTF-8', () => {
    expect(errorsOf(loadText(Uint8Array.of(0x61, 0x3a, 0x20, 0x0a, 0x62, 0xff, 0x0a)))).toEqual(['2:2 the file is not UTF-8 text'])
    expect(errorsOf(loadText(Buffer.from('\ufeffserver:', 'utf16le')))).toEqual(['1:1 the file is UTF-16: save it as UTF-8'])
  })

  it('reports one mistake once, though the parser stumbles over it many times', () => {
    expect(errorsOf(loadText(`server: ${']'.repeat(500)}\n`))).toHaveLength(1)
  })

  it('never quotes a file that is no YAML', () => {
    for (const text of [
      'a: sk-canary: b\n',
      '- "sk-canary\n',
      'a: "\\qsk-canary"\n',
      '[sk-canary',
      '@sk-canary',
      '&sk-canary: : :',
      '!sk-canary x',
    ]) {
      expect(errorsOf(loadText(text)).join('\n')).not.toContain('canary')
    }
  })
})

// each takes well under a second of an idle processor; the bounds leave room for a busy one
describe('S74: files made to exhaust', () => {
  const MiB = 1024 ** 2
  const repeated = (piece: string): string => piece.repeat(Math.floor(MiB / piece.length))
  const bomb = [
    'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
    ...Array.from(
      { length: 9 },
      (_, level) => `a${level + 1}: &a${level + 1} [${Array.from({ length: 10 }, () => `*a${level}`).join(', ')}]`,
    ),
  ].join('\n')

  it('refuses an alias bomb', () => {
    const { errors, ms } = timed(bomb)
    expect(errors.filter((error) => error.includes('stand for more than 10000 values'))).not.toEqual([])
    expect(ms).toBeLessThan(3_000)
  })

  it('refuses 50 MB without reading them', () => {
    const { errors, ms } = timed(Buffer.alloc(50_000_000, '# x\n'))
    expect(errors).toEqual(['1:1 the file is too large: 50000000 bytes, at most 1MiB are read'])
    expect(ms).toBeLessThan(3_000)
  })

  it.each([
    ['brackets that open', repeated('[')],
    ['brackets that close', repeated(']')],
    ['nested maps', repeated('{a: ')],
    ['nested dashes', repeated('- ')],
    ['question marks', repeated('? ')],
    ['tags', repeated('!a ')],
    ['directives', repeated('%a b\n')],
    ['documents', repeated('---\n')],
    ['list items', repeated('- 1\n')],
    [
      'small keys',
      Array.from({ length: 110_000 }, (_, index) => `k${index}: 1`)
        .join('\n')
        .slice(0, MiB),
    ],
    ['the same key', repeated('a: 1\n')],
    ['blank lines', repeated('\n')],
    ['one long word', repeated('a')],
    ['one long quoted text', `"${repeated('\\n').slice(2)}"`],
    ['dollars and braces', `a: '${repeated('${').slice(10)}'`],
    [
      'deep indentation',
      Array.from({ length: 1_400 }, (_, depth) => `${' '.repeat(depth)}a:\n`)
        .join('')
        .slice(0, MiB),
    ],
  ])('ends soon on 1 MiB of %s, with problems or without', (_, text) => {
    const { errors, ms } = timed(text)
    expect(errors.length).toBeLessThanOrEqual(201)
    expect(ms).toBeLessThan(3_000)
  })

  it.each([
    ['brackets', '['.repeat(100_000)],
    ['brackets around texts', '[a, '.repeat(30_000)],
    ['braces', '{a: '.repeat(30_000)],
    ['dashes', '- '.repeat(60_000)],
    ['question marks', '? '.repeat(60_000)],
    ['colons', ': '.repeat(60_000)],
    ['indentation', Array.from({ length: 1_400 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
    ['dashes and indentation', Array.from({ length: 500 }, (_, depth) => `${' '.repeat(2 * depth)}-\n`).join('')],
    ['brackets in many lines', '[\n'.repeat(50_000)],
  ])('refuses thousands of levels of %s, which would exhaust the stack', (_, text) => {
    const { errors, ms } = timed(text)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatch(/ the values are nested too deeply$/)
    expect(ms).toBeLessThan(3_000)
  })

  it('nesting that people write is far from the limit', () => {
    const list = `${'['.repeat(40)}1${']'.repeat(40)}`
    const map = Array.from({ length: 25 }, (_, depth) => `${' '.repeat(2 * depth + 6)}- a:\n`).join('')
    const result = loadText(`fallbacks:\n  a: { json: ${list} }\n  b:\n    json:\n${map}`)
    expect(errorsOf(result)).toEqual([])
  })

  it.each([
    ['brackets that close', ']'.repeat(14_500)],
    ['a list in brackets', `a: [${'1,'.repeat(34_000)}]`],
    ['tags', '!a '.repeat(7_000)],
    ['directives', '%a b\n'.repeat(9_000)],
    ['small keys', Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['the same key', 'a: 1\n'.repeat(20_000)],
    ['anchors and aliases', Array.from({ length: 9_000 }, (_, index) => `- &a${index} 1\n- *a${index}`).join('\n')],
    ['variables', `a: [${"'${NONE}',".repeat(25_000)}]`],
    ['aliases of one long text', `x-a: &a ${'x'.repeat(900_000)}\nx-b: [${'*a,'.repeat(9_000)}]`],
  ])('ends soon on %s as far as they are read', (_, text) => {
    const { errors, ms } = timed(text)
    expect(errors.join('\n')).not.toContain('too many values')
    expect(errors.length).toBeLessThanOrEqual(201)
    expect(ms).toBeLessThan(3_000)
  })

  it('shows the first problems of many, and the number of the others', () => {
    const { errors } = timed(Array.from({ length: 1_000 }, (_, index) => `key${index}: 1`).join('\n'))
    expect(errors).toHaveLength(201)
    expect(errors.at(-1)).toMatch(/800 more problems are not shown$/)
  })
})

describe('S75: keys that could reach the prototype', () => {
  it.each(['__proto__', 'constructor', 'prototype'])('refuses %s as a key anywhere', (key) => {
    for (const text of [
      `${key}: { x: 1 }\n`,
      `upstreams: { ${key}: { url: http://x } }\n`,
      `fallbacks: { a: { json: { "${key}": { polluted: true } } } }\n`,
    ]) {
      expect(errorsOf(loadText(text)).join('\n')).toMatch(`${key}: this name is not allowed`)
    }
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    expect(({} as { x?: unknown }).x).toBeUndefined()
  })

  it('knows no names but those that were defined', () => {
    const { config } = loaded(loadText(minimal))
    for (const inherited of ['toString', 'hasOwnProperty', '__proto__']) expect(inherited in config.upstreams).toBe(false)
    expect(Object.keys(config.upstreams)).toEqual(['llm'])
  })
})
