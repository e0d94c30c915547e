import { execFileSync } from 'node:child_process'
import { closeSync, constants, createWriteStream, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi, type Mock } from 'vitest'
import { fakeClock, type FakeClock } from '../fake-clock.ts'
import type { LoggerLike } from './destination.ts'
import { logSink, type LogSink, type LogSinkOptions } from './log-sink.ts'

type Line = Readonly<Record<string, unknown>>

interface Watched {
  readonly sink: LogSink
  readonly clock: FakeClock
  readonly lines: () => Line[]
}

function watched(options: LogSinkOptions = {}): Watched {
  const texts: string[] = []
  const clock = fakeClock()
  const sink = logSink({ clock, write: (line) => texts.push(line), ...options })
  return {
    sink,
    clock,
    lines: () => texts.map((text) => JSON.parse(text) as Line),
  }
}

function logged(): Mock<(fields: object, message: string) => void> {
  return vi.fn<(fields: object, message: string) => void>()
}

function throwing(): never {
  throw new Error('disk full')
}

function rejection(sink: LogSink, policy = 'orders'): void {
  sink.log({ level: 'warn', event: 'bulkhead.rejected', policy, message: 'full' })
}

describe('lines', () => {
  it('are JSON as pino writes it: level as a number, time in epoch ms, msg, one line each', () => {
    const texts: string[] = []
    const sink = logSink({ clock: fakeClock(), level: 'debug', fields: { service: 'checkout', pid: 7 }, write: (line) => texts.push(line) })
    sink.debug({}, 'd')
    sink.info({ port: 8_080 }, 'listening\nnow')
    sink.warn({}, 'w')
    sink.log({ level: 'error', message: 'e', event: 'circuit.opened', policy: 'orders', at: 1_000 })
    expect(texts).toEqual([
      '{"level":20,"time":1893456000000,"service":"checkout","pid":7,"msg":"d"}\n',
      '{"level":30,"time":1893456000000,"service":"checkout","pid":7,"port":8080,"msg":"listening now"}\n',
      '{"level":40,"time":1893456000000,"service":"checkout","pid":7,"msg":"w"}\n',
      '{"level":50,"time":1000,"service":"checkout","pid":7,"event":"circuit.opened","policy":"orders","msg":"e"}\n',
    ])
  })

  it('below the level are not made', () => {
    const { sink, lines } = watched({ level: 'warn' })
    const fields = { get expensive(): number { throw new Error('was read') } } // prettier-ignore
    sink.debug(fields, 'd')
    sink.info(fields, 'i')
    sink.warn({}, 'w')
    expect(lines().map(({ msg }) => msg)).toEqual(['w'])
    expect([sink.isEnabled('info'), sink.isEnabled('warn'), logSink({ level: 'silent' }).isEnabled('error')]).toEqual([false, true, false])
  })

  it('keep their own names: fields cannot forge level, time, message, event or policy', () => {
    const { sink, lines } = watched({ fields: { level: 1, msg: 'forged' } })
    sink.log({
      level: 'warn',
      message: 'true',
      policy: 'orders',
      fields: { level: 1, time: 1, msg: 'forged', policy: 'forged', suppressed: 9 },
    })
    expect(lines()).toEqual([{ level: 40, time: 1_893_456_000_000, policy: 'orders', msg: 'true' }])
  })

  it('of a logger that was handed in go to its method, redacted, as object and message', () => {
    const logger = { debug: logged(), info: logged(), warn: logged(), error: logged() } satisfies LoggerLike
    const sink = logSink({ logger, level: 'debug', fields: { service: 's' } })
    sink.log({ level: 'warn', message: 'full', policy: 'orders', event: 'bulkhead.rejected', fields: { queued: 3, token: 'canary' } })
    sink.debug({}, 'd')
    expect(logger.warn.mock.calls).toEqual([
      [{ service: 's', event: 'bulkhead.rejected', policy: 'orders', queued: 3, token: '[redacted]' }, 'full'],
    ])
    expect(logger.debug).toHaveBeenCalledOnce()
    expect([logger.info, logger.error].some((method) => method.mock.calls.length > 0)).toBe(false)
  })

  it('go to standard output when nothing else is named', () => {
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true)
    logSink().info({}, 'hello')
    const texts = write.mock.calls.map(([text]) => String(text))
    write.mockRestore()
    expect(texts).toEqual([expect.stringContaining('"msg":"hello"')])
  })
})

describe('42: what may be written', () => {
  it('numbers, booleans, null and short texts; of the rest its kind', () => {
    const { sink, lines } = watched()
    const fields = {
      n: 1.5,
      big: 10n,
      nan: NaN,
      yes: true,
      none: null,
      gone: undefined,
      text: 'short',
      list: ['canary'],
      object: { a: 'canary' },
      call: () => 'canary',
    }
    sink.info(fields, 'm')
    expect(lines()[0]).toMatchObject({
      n: 1.5,
      big: '10',
      nan: 'NaN',
      yes: true,
      none: null,
      text: 'short',
      list: '[array]',
      object: '[object]',
      call: '[function]',
    })
    expect(lines()[0]).not.toHaveProperty('gone')
    expect(JSON.stringify(lines())).not.toContain('canary')
  })

  it('a planted secret is in no line, whichever way it comes', () => {
    const secret = 'sk-canary0123456789abcdef'
    const plain = 'canary-hunter2'
    const { sink, lines } = watched({ fields: { apiKey: plain, note: `Bearer ${secret}` }, stacks: true })
    const cause = new Error(`inner ${secret}`)
    const error = Object.assign(new TypeError(`401 Incorrect API key provided: ${secret}`, { cause }), {
      headers: { authorization: `Bearer ${secret}` },
      config: plain,
      code: secret,
    })
    error.name = secret
    sink.error(
      {
        err: error,
        password: plain,
        cookie: plain,
        Authorization: plain,
        token: 123_456,
        prompt: plain,
        messages: plain,
        nested: { plain },
      },
      `failed with ${secret}`,
    )
    sink.log({
      level: 'error',
      event: `event ${secret}`,
      policy: `postgres://app:${plain}@db`,
      message: `password=${plain}`,
      fields: { [`key ${secret}`]: 1, traceId: secret },
    })
    sink.flush()
    expect(lines()).toHaveLength(2)
    expect(JSON.stringify(lines())).not.toContain('canary')
    expect(JSON.stringify(lines())).not.toContain('123456')
  })

  it('amounts of tokens are figures, and trace ids are no secrets', () => {
    const { sink, lines } = watched()
    const figures = { inputTokens: 12, max_tokens: 4_096, tokenCount: 3, traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }
    sink.info(figures, 'm')
    expect(lines()[0]).toMatchObject(figures)
  })

  it('an error is its type, code and message, cut, without a stack; the code may be that of its cause', () => {
    const { sink, lines } = watched()
    const error = new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
    sink.warn({ err: error }, 'm')
    sink.warn({ err: new RangeError('y'.repeat(5_000).replaceAll('yy', 'y ')) }, 'm')
    expect(lines()[0]?.['err']).toEqual({ type: 'TypeError', code: 'ECONNREFUSED', message: 'fetch failed' })
    expect(Object.keys(lines()[1]?.['err'] as object)).toEqual(['type', 'message'])
    expect(lines()[1]).toHaveProperty('err.message.length', 300)
  })

  it('a stack is written only when asked for', () => {
    const { sink, lines } = watched({ stacks: true })
    sink.warn({ err: new Error('boom') }, 'm')
    expect(lines()[0]).toHaveProperty('err.stack', expect.stringMatching(/^Error: boom\n\s+at /))
  })

  it('fields that throw when read, or are too many, cost only themselves', () => {
    const { sink, lines } = watched()
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}`, index]))
    sink.info({ ok: 1, get bad(): number { throw new Error('no') } }, 'm') // prettier-ignore
    sink.info(many, 'm')
    expect(lines()[0]).toMatchObject({ ok: 1, bad: '[unreadable]' })
    expect(Object.keys(lines()[1] ?? {})).toHaveLength(3 + 32)
  })
})

describe('repeats', () => {
  it('of one event of one policy beyond the limit are counted, and told with the next line that is written', async () => {
    const { sink, clock, lines } = watched({ maxRepeats: 2, repeatWindow: '10s' })
    for (let call = 0; call < 100; call++) rejection(sink)
    expect(lines()).toHaveLength(2)
    await clock.advance('10s')
    rejection(sink)
    rejection(sink)
    expect(lines().map(({ suppressed }) => suppressed)).toEqual([undefined, undefined, 98, undefined])
    expect(sink.status()).toEqual({ written: 4, suppressed: 98, dropped: 0, failed: 0 })
    expect(clock.timers).toEqual([])
  })

  it('of another policy or event are another matter', () => {
    const { sink, lines } = watched({ maxRepeats: 1 })
    rejection(sink, 'a')
    rejection(sink, 'a')
    rejection(sink, 'b')
    sink.log({ level: 'warn', event: 'timeout.fired', policy: 'a', message: 'm' })
    expect(lines().map(({ event, policy }) => [event, policy])).toEqual([
      ['bulkhead.rejected', 'a'],
      ['bulkhead.rejected', 'b'],
      ['timeout.fired', 'a'],
    ])
  })

  it('that nothing follows are told by flush, once', () => {
    const { sink, lines } = watched({ maxRepeats: 1 })
    for (let call = 0; call < 5; call++) rejection(sink)
    sink.flush()
    sink.flush()
    expect(lines()).toHaveLength(2)
    expect(lines()[1]).toMatchObject({
      level: 40,
      event: 'bulkhead.rejected',
      policy: 'orders',
      suppressed: 4,
      msg: 'Repeated 4 more times: bulkhead.rejected for service orders',
    })
  })

  it('do not include changes of state: each of them is written', () => {
    const { sink, lines } = watched({ maxRepeats: 1 })
    for (let change = 0; change < 50; change++)
      sink.log({ level: 'warn', event: 'circuit.opened', policy: 'a', message: 'm', isChange: true })
    expect(lines()).toHaveLength(50)
  })

  it('are remembered for a bounded number of kinds; what makes room is told before', () => {
    const { sink, lines } = watched({ maxRepeats: 1, maxKinds: 3 })
    for (const policy of ['a', 'a', 'a', 'b', 'c', 'd']) rejection(sink, policy)
    expect(lines().map(({ policy, suppressed }) => [policy, suppressed])).toEqual([
      ['a', undefined],
      ['b', undefined],
      ['c', undefined],
      ['a', 2],
      ['d', undefined],
    ])
    for (let policy = 0; policy < 10_000; policy++) rejection(sink, `policy-${policy}`)
    sink.flush()
    expect(sink.status()).toMatchObject({ written: 10_005, suppressed: 2 })
  })

  it('begin a new window when the clock was set back', async () => {
    const { sink, clock, lines } = watched({ maxRepeats: 1 })
    rejection(sink)
    clock.step(-60_000)
    rejection(sink)
    expect(lines()).toHaveLength(2)
  })
})

describe('43: a destination that fails', () => {
  it('by throwing, never reaches the caller, and is counted', () => {
    for (const options of [
      { write: throwing },
      { stream: { write: throwing } },
      { logger: { debug: throwing, info: throwing, warn: throwing, error: throwing } },
    ]) {
      const sink = logSink(options)
      rejection(sink)
      sink.info({}, 'm')
      sink.flush()
      expect(sink.status()).toMatchObject({ written: 0, failed: 2 })
    }
  })

  it('by rejecting, leaves no unhandled rejection, and is counted', async () => {
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    const sink = logSink({ write: () => Promise.reject(new Error('disk full')) })
    sink.info({}, 'm')
    await new Promise(setImmediate)
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(sink.status()).toMatchObject({ written: 0, failed: 1 })
  })

  it('by never answering, holds a bounded number of lines; the rest are dropped and told of', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const texts: string[] = []
    const sink = logSink({ write: (line) => (texts.push(line), held) })
    for (let line = 0; line < 5_000; line++) sink.info({ line }, 'm')
    expect(sink.status()).toMatchObject({ written: 0, dropped: 4_000 })
    release?.()
    await new Promise(setImmediate)
    sink.info({}, 'again')
    expect(JSON.parse(texts.at(-1) as string)).toMatchObject({ dropped: 4_000, msg: 'again' })
  })

  it('by taking no more, loses lines instead of memory or time: a named pipe whose reader has stopped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'))
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stream = createWriteStream(path)
    try {
      const sink = logSink({ stream, maxBufferedBytes: 200_000 })
      for (let line = 0; line < 20_000; line++) {
        sink.info({ line, padding: 'some text '.repeat(10) }, 'm')
        if (line % 2_000 === 0) await new Promise(setImmediate)
      }
      const { written, dropped } = sink.status()
      expect(written + dropped).toBe(20_000)
      expect(dropped).toBeGreaterThan(10_000)
      expect(stream.writableLength).toBeLessThan(201_000)
    } finally {
      // The pipe breaks: without the sink's listener, the stream's error would end the process.
      const gone = new Promise<void>((resolve) => {
        stream.once('close', () => resolve())
      })
      closeSync(reader)
      stream.destroy()
      await gone
      rmSync(folder, { recursive: true })
    }
  })

  it('by breaking later, does not end the process', async () => {
    const listeners: (() => void)[] = []
    const stream = { write: () => true, on: (_event: 'error', listener: () => void) => listeners.push(listener) }
    logSink({ stream }).info({}, 'm')
    logSink({ stream }).info({}, 'm')
    expect(listeners).toHaveLength(1)
  })

  it('by logging through the same sink, is not called without end', () => {
    const sink: LogSink = logSink({ write: () => sink.info({}, 'again') })
    sink.info({}, 'm')
    expect(sink.status()).toMatchObject({ written: 1, dropped: 1 })
  })

  it("an entry that makes no sense is not the caller's trouble either", () => {
    const { sink } = watched()
    for (const entry of [undefined, null, 5, {}, { level: 'warn' }, { level: 'loud', message: 'm' }]) sink.log(entry as never)
    sink.info(null as never, undefined as never)
    expect(sink.status().written).toBe(0)
  })
})

it('names the option, the value and what is allowed when an option is wrong', () => {
  const wrong: readonly [LogSinkOptions, RegExp][] = [
    [{ level: 'wran' as never }, /'level' must be one of .*did you mean 'warn'.*got "wran"/],
    [{ write: throwing, stream: process.stdout }, /one destination/],
    [{ write: 5 as never }, /'write' must be a function/],
    [{ logger: { info: throwing } as never }, /'logger' must be a logger with the method debug/],
    [{ stream: {} as never }, /'stream' must be a writable stream/],
    [{ maxRepeats: 0 }, /'maxRepeats'/],
    [{ repeatWindow: 'soon' as never }, /'repeatWindow'/],
    [{ maxKinds: 0.5 }, /'maxKinds'/],
    [{ maxBufferedBytes: 0 }, /'maxBufferedBytes'/],
    [{ stacks: 'yes' as never }, /'stacks'/],
    [{ fields: null as never }, /'fields'/],
    [{ levels: 'x' } as never, /no option 'levels' \(did you mean 'level'/],
  ]
  for (const [options, message] of wrong) {
    expect(() => logSink(options)).toThrow(message)
    expect(() => logSink(options)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION' }))
  }
})
