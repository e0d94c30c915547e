import { systemClock, type Clock } from '../clock.ts'
import { durationMs, type Duration } from '../duration.ts'
import { booleanOption, checkOptionNames, choiceOption, integerOption, invalidOption } from '../options.ts'
import { chooseDestination, type DestinationOptions } from './choose-destination.ts'
import { levelNumbers, type Destination, type LoggerLike, type LogLevel } from './destination.ts'
import { plainFields, type LogFields, type PlainValue } from './fields.ts'
import { publicText } from './redact.ts'
import { RepeatLimit, type HeldBack } from './repeats.ts'

export interface LogSinkOptions extends DestinationOptions {
  /** Lines below it are not made; `silent` makes none. @defaultValue 'info' */
  readonly level?: LogLevel | 'silent'
  /** Written with every line, such as `{ service: 'checkout', pid: process.pid }`; redacted like all fields. @defaultValue none */
  readonly fields?: LogFields
  /** Lines of one event of one policy that are written within `repeatWindow`; changes of state are always written. @defaultValue 10 */
  readonly maxRepeats?: number
  /** @defaultValue '10s' */
  readonly repeatWindow?: Duration
  /** Pairs of event and policy whose repeats are counted. @defaultValue 1000 */
  readonly maxKinds?: number
  /** Write errors with their stack. @defaultValue false */
  readonly stacks?: boolean
  readonly clock?: Pick<Clock, 'now' | 'wallNow'>
}

/** One thing to be logged. */
export interface LogEntry {
  readonly level: LogLevel
  readonly message: string
  /** What happened, such as `circuit.opened`. Entries without it are not limited. */
  readonly event?: string
  readonly policy?: string
  /** Epoch ms. @defaultValue now */
  readonly at?: number
  readonly fields?: LogFields
  /** Says that something is different from now on: such a line is never held back as a repeat. @defaultValue false */
  readonly isChange?: boolean
}

/** Lines since the sink was made. */
export interface LogSinkStatus {
  readonly written: number
  /** Held back as repeats. */
  readonly suppressed: number
  /** Not written since the destination took no more. */
  readonly dropped: number
  /** Given to a destination that threw or rejected. */
  readonly failed: number
}

/** Writes structured lines without credentials. None of its methods throws or waits, whatever becomes of the line. */
export interface LogSink extends LoggerLike {
  /** Whether lines of the level are made; ask before making something expensive. */
  isEnabled(level: LogLevel): boolean
  log(entry: LogEntry): void
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** Lines below it are not made from now on. */
  setLevel(level: LogLevel | 'silent'): void
  /** Writes one line for each kind of which repeats were held back, with their number. To be called when the program ends. */
  flush(): void
  status(): LogSinkStatus
}

const optionNames = [
  'level',
  'write',
  'stream',
  'logger',
  'fields',
  'maxRepeats',
  'repeatWindow',
  'maxKinds',
  'maxBufferedBytes',
  'stacks',
  'clock',
]
const maxPendingPromises = 1_000
const ownNames = new Set(['level', 'time', 'msg', 'event', 'policy', 'suppressed', 'dropped'])

/**
 * A sink for structured log lines, in the form of pino.
 * @throws HoldfastError `ERR_INVALID_OPTION`.
 * @example `const sink = logSink({ level: 'info' }); system.on(logEvents(sink))`
 */
export function logSink(options: LogSinkOptions = {}): LogSink {
  return new Sink(options)
}

/** What repeats have in common. */
interface Kind {
  readonly level: LogLevel
  readonly event: string
  readonly policy: string
}

class Sink implements LogSink {
  private minLevel: number
  private readonly destination: Destination
  private readonly common: Readonly<Record<string, PlainValue>>
  private readonly stacks: boolean
  private readonly clock: Pick<Clock, 'now' | 'wallNow'>
  private readonly repeats: RepeatLimit<Kind>
  private written = 0
  private suppressed = 0
  private dropped = 0
  private failed = 0
  private droppedUntold = 0
  private pending = 0
  private isWriting = false

  constructor(options: LogSinkOptions) {
    checkOptionNames('logSink', options, optionNames)
    const { level = 'info', fields = {}, maxRepeats = 10, repeatWindow = '10s', maxKinds = 1_000, stacks = false } = options
    this.minLevel = levelNumber(level)
    this.destination = chooseDestination(options)
    this.stacks = booleanOption('logSink', 'stacks', stacks)
    if (typeof fields !== 'object' || fields === null) throw invalidOption('logSink', 'fields', fields, 'an object')
    this.common = withoutOwnNames(plainFields(fields, false))
    this.clock = options.clock ?? systemClock
    this.repeats = new RepeatLimit(
      integerOption('logSink', 'maxRepeats', maxRepeats, { min: 1 }),
      durationMs('logSink', 'repeatWindow', repeatWindow),
      integerOption('logSink', 'maxKinds', maxKinds, { min: 1 }),
      (held) => this.tell(held),
    )
  }

  setLevel(level: LogLevel | 'silent'): void {
    this.minLevel = levelNumber(level)
  }

  isEnabled(level: LogLevel): boolean {
    return levelNumbers[level] >= this.minLevel
  }

  log(entry: LogEntry): void {
    try {
      if (!this.isEnabled(entry.level)) return
      const suppressed = this.admit(entry)
      if (suppressed === undefined) this.suppressed++
      else this.write(entry, suppressed === 0 ? {} : { suppressed })
    } catch {
      this.failed++
    }
  }

  debug(fields: LogFields, message: string): void {
    this.log({ level: 'debug', fields, message })
  }

  info(fields: LogFields, message: string): void {
    this.log({ level: 'info', fields, message })
  }

  warn(fields: LogFields, message: string): void {
    this.log({ level: 'warn', fields, message })
  }

  error(fields: LogFields, message: string): void {
    this.log({ level: 'error', fields, message })
  }

  flush(): void {
    for (const held of this.repeats.drain()) this.tell(held)
  }

  status(): LogSinkStatus {
    const { written, suppressed, dropped, failed } = this
    return { written, suppressed, dropped, failed }
  }

  private admit(entry: LogEntry): number | undefined {
    const { event, policy = '', isChange = false } = entry
    if (event === undefined || isChange) return 0
    return this.repeats.admit(`${event} ${policy}`, { level: entry.level, event, policy }, this.clock.now())
  }

  private tell({ about: { level, event, policy }, count }: HeldBack<Kind>): void {
    const message = `Repeated ${count} more times: ${event}${policy === '' ? '' : ` for service ${policy}`}`
    try {
      this.write({ level, message, event, ...(policy !== '' && { policy }) }, { suppressed: count })
    } catch {
      this.failed++
    }
  }

  private write(entry: LogEntry, counts: Readonly<Record<string, number>>): void {
    // A destination that logs through this sink while it takes a line would call itself for ever.
    if (this.isWriting || this.destination.isFull || this.pending >= maxPendingPromises) {
      this.dropped++
      this.droppedUntold++
      return
    }
    const { level, message, event, policy, at, fields = {} } = entry
    const plain = {
      ...this.common,
      ...(event !== undefined && { event: publicText(event) }),
      ...(policy !== undefined && { policy: publicText(policy) }),
      ...withoutOwnNames(plainFields(fields, this.stacks)),
      ...counts,
      ...(this.droppedUntold > 0 && { dropped: this.droppedUntold }),
    }
    const time = typeof at === 'number' && Number.isFinite(at) ? at : this.clock.wallNow()
    this.isWriting = true
    try {
      this.follow(this.destination.take({ level, time, fields: plain, message: publicText(message, 500) }))
      this.droppedUntold = 0
    } finally {
      this.isWriting = false
    }
  }

  /** Counts the line, at once or when its promise settles. */
  private follow(answer: unknown): void {
    if (!isThenable(answer)) {
      this.written++
      return
    }
    this.pending++
    const settle = (key: 'written' | 'failed'): void => {
      this.pending--
      this[key]++
    }
    Promise.resolve(answer).then(
      () => settle('written'),
      () => settle('failed'),
    )
  }
}

/** The names a sink writes itself must stand once in a line. */
function withoutOwnNames(fields: Record<string, PlainValue>): Record<string, PlainValue> {
  for (const name of Object.keys(fields)) if (ownNames.has(name)) delete fields[name]
  return fields
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function levelNumber(level: LogLevel | 'silent'): number {
  return levelNumbers[choiceOption('logSink', 'level', level, ['debug', 'info', 'warn', 'error', 'silent'])]
}
