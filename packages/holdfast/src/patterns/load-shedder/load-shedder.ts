import type { Priority } from '../../core/call.ts'
import { systemClock, type Clock } from '../../core/clock.ts'
import { durationMs, type Duration } from '../../core/duration.ts'
import { EventHub, type Listener } from '../../core/events.ts'
import {
  booleanOption,
  checkOptionNames,
  choiceOption,
  functionOption,
  integerOption,
  invalidOption,
  nameOption,
  numberOption,
  ratioOption,
} from '../../core/options.ts'
import { parts } from '../../core/parts.ts'
import { GatePolicy, type Acquirable } from '../../core/permit.ts'
import type { HealthRecord, Policy, PolicyDescription } from '../../core/policy.ts'
import { priorities } from '../../core/priority-line.ts'
import type { Random } from '../../core/random.ts'
import { sharesOption, type ShareOptions, type ShareStatus } from '../../core/shares.ts'
import type { ThrottleSettings } from './client-throttle.ts'
import { DelayGate, type DelaySettings } from './delay-gate.ts'
import type { LoadShedderEvent } from './events.ts'
import { LoadGate, type LoadSettings } from './load-gate.ts'
import { eventLoopUtilization, type LoadSource } from './load-sources.ts'
import { ShedReport, type ReportSettings } from './shed-report.ts'
import { ThrottleGate } from './throttle-gate.ts'

interface CommonSettings {
  /** Sheds nothing and reports what it would have shed. @defaultValue false */
  readonly dark?: boolean
  /** What refused callers are told on average; each is told 50 to 150 % of it. @defaultValue '1s' */
  readonly retryAfter?: Duration
}

/** Sheds by load, the least important calls first. */
export interface LoadModeSettings extends CommonSettings, ShareOptions {
  readonly mode?: 'load'
  /** Load from which all but critical calls are shed. @defaultValue 0.8 */
  readonly maxLoad?: number
  /** Load from which the least important calls are shed. @defaultValue 0.75 × maxLoad */
  readonly shedFrom?: number
  /** Load from which critical calls are shed as well. @defaultValue 1.25 × maxLoad, or 1 if that is more */
  readonly hardLimit?: number
  /** How far load has to fall below `shedFrom` for shedding to be told as ended. @defaultValue 0.05 */
  readonly hysteresis?: number
  /** Levels that numbers given to {@link LoadShedder.shouldShed} are of: 1 is the least important. @defaultValue 3 */
  readonly priorityLevels?: number
  /** Calls in flight that are a load of 1. @defaultValue calls in flight are no load */
  readonly capacity?: number
  /**
   * Further loads by name: functions that answer 0 when idle and 1 at the limit. The highest counts.
   * @defaultValue `eventLoopUtilization()` without `capacity`, none with it
   */
  readonly sources?: Readonly<Record<string, LoadSource>>
  /** Sources are asked at most this often, and only when calls come. @defaultValue '100ms' */
  readonly sampleEvery?: Duration
}

/** Sheds what a failing dependency would only refuse (adaptive throttling of the SRE book). */
export interface ThrottleModeSettings extends CommonSettings {
  readonly mode: 'client-throttle'
  /** Requests per accepted one that are let through, above 1. @defaultValue 2 */
  readonly k?: number
  /** @defaultValue '10s' */
  readonly window?: Duration
  /** Nothing is shed while the window has fewer requests. @defaultValue 10 */
  readonly minVolume?: number
  /** At most this share is shed, below 1: the others find out that the dependency is back. @defaultValue 0.85 */
  readonly maxRejectRatio?: number
  /** Which errors say that the dependency does not serve. @defaultValue all that a gate counts as failures */
  readonly isOverload?: (error: unknown) => boolean
}

/** Sheds by the time calls wait in the own queue (CoDel). */
export interface DelayModeSettings extends CommonSettings {
  readonly mode: 'queue-delay'
  /** Calls that may run at the same time, 1 or more. */
  readonly maxConcurrent: number
  /** Calls that may wait. @defaultValue 1000 */
  readonly maxQueued?: number
  /** Longest wait while the queue stands. @defaultValue '5ms' */
  readonly target?: Duration
  /** Longest wait at all, and how long the queue must not have been empty to be said to stand. @defaultValue '100ms' */
  readonly interval?: Duration
}

/** What may change while a load shedder is in use; the mode may not. */
export type LoadShedderSettings = LoadModeSettings | ThrottleModeSettings | DelayModeSettings

export type LoadShedderOptions = LoadShedderSettings & {
  /** @defaultValue 'load-shedder' */
  readonly name?: string
  readonly clock?: Clock
  readonly random?: Random
}

export interface LoadShedderStatus {
  readonly kind: 'load-shedder'
  readonly name: string
  readonly mode: 'load' | 'client-throttle' | 'queue-delay'
  readonly dark: boolean
  readonly shedding: boolean
  /** What the decision rests on: the load, the share shed by the throttle, or how full the queue is. */
  readonly load: number
  /** Calls in flight; 0 in the mode `client-throttle`, which does not count them. */
  readonly running: number
  readonly queued: number
  readonly admitted: number
  /** Calls shed, ever; in dark mode those that would have been. */
  readonly shed: number
  readonly shedByPriority: Readonly<Record<Priority, number>>
  /** The last value of each source. */
  readonly sources: Readonly<Record<string, number>>
  readonly partitions: Readonly<Record<string, ShareStatus>> | null
  readonly [figure: string]: unknown
}

export interface LoadShedder extends Policy<LoadShedderEvent>, Acquirable, Disposable {
  readonly kind: 'load-shedder'
  status(): LoadShedderStatus
  /**
   * Whether a call of this priority, or of this level from 1 (least important) up, would be shed now. Runs nothing and counts nothing.
   * @throws HoldfastError `ERR_INVALID_OPTION` for what is neither.
   */
  shouldShed(priority?: Priority | number): boolean
  /**
   * Puts other settings of the same mode into force; what is left out is as if it had been left out at first. Figures stay.
   * @throws HoldfastError `ERR_INVALID_OPTION`; nothing has changed then.
   */
  reconfigure(settings: LoadShedderSettings): void
  /** Turns all waiters away (mode `queue-delay`), and every later call there, with `ERR_DISPOSED`. */
  dispose(): void
}

const common = ['mode', 'dark', 'retryAfter'] as const
const optionNames = {
  load: [
    ...common,
    'maxLoad',
    'shedFrom',
    'hardLimit',
    'hysteresis',
    'priorityLevels',
    'capacity',
    'sources',
    'sampleEvery',
    'partitions',
    'partitionOf',
  ],
  'client-throttle': [...common, 'k', 'window', 'minVolume', 'maxRejectRatio', 'isOverload'],
  'queue-delay': [...common, 'maxConcurrent', 'maxQueued', 'target', 'interval'],
} as const
type Mode = keyof typeof optionNames

/**
 * Turns calls away while there is too much to do, the least important first, so that the others are still served in time.
 * @throws HoldfastError `ERR_LOAD_SHED`, with `retryAfterMs`.
 * @example `const shedder = loadShedder({ maxLoad: 0.8, capacity: 100 }); if (shedder.shouldShed('low')) return unavailable()`
 */
export function loadShedder(options: LoadShedderOptions = {}): LoadShedder {
  return new LoadShedderPolicy(options)
}

class LoadShedderPolicy extends GatePolicy<LoadShedderEvent> implements LoadShedder {
  readonly kind = 'load-shedder' as const
  readonly [parts]: readonly (LoadGate | ThrottleGate | DelayGate)[]
  protected readonly gate: LoadGate | ThrottleGate | DelayGate
  private readonly mode: Mode
  private readonly report: ShedReport

  constructor(options: LoadShedderOptions) {
    const mode = modeOption(options)
    checkOptionNames('loadShedder', options, [...optionNames[mode], 'name', 'clock', 'random'])
    const name = nameOption('load-shedder', options.name)
    super(name, options.clock ?? systemClock)
    this.mode = mode
    const random = functionOption(name, 'random', options.random) ?? Math.random
    this.report = new ShedReport(reportSettings(name, this.clock, random, options), new EventHub())
    this.gate = this.newGate(options)
    this[parts] = [this.gate]
  }

  on(listener: Listener<LoadShedderEvent>): () => void {
    return this.report.events.on(listener)
  }

  describe(): PolicyDescription {
    const { gate, mode, kind, name } = this
    const { dark, retryAfterMs } = this.report.settings
    const shared = { kind, name, mode, retryAfterMs, ...(dark ? { dark } : {}) }
    if (gate instanceof ThrottleGate) return { ...shared, ...gate.throttle.settings }
    if (gate instanceof DelayGate) return { ...shared, ...gate.settings }
    const { sources, shares, capacity, ...rules } = gate.settings
    return {
      ...shared,
      ...rules,
      ...(capacity === Infinity ? {} : { capacity }),
      sources: Object.keys(sources),
      ...(shares === undefined ? {} : { partitions: shares.ratios }),
    }
  }

  status(): LoadShedderStatus {
    const { gate, report, mode, kind, name } = this
    const now = this.clock.now()
    const load = gate instanceof LoadGate ? gate.load(now) : gate instanceof ThrottleGate ? gate.throttle.peek(now) : gate.load
    return {
      kind,
      name,
      mode,
      dark: report.settings.dark,
      shedding: report.since !== undefined,
      load,
      running: gate instanceof ThrottleGate ? 0 : gate.running,
      queued: gate instanceof DelayGate ? gate.queued : 0,
      admitted: report.admitted,
      shed: report.shed,
      shedByPriority: { ...report.shedByPriority },
      sources: gate instanceof LoadGate ? { ...gate.loads } : {},
      partitions: gate instanceof LoadGate && gate.settings.shares !== undefined ? gate.settings.shares.status() : null,
    }
  }

  override health(): HealthRecord {
    const { name, report } = this
    if (this.gate instanceof DelayGate && this.gate.disposed)
      return { status: 'fail', reason: `load shedder '${name}' has been disposed of` }
    if (report.since === undefined) return { status: 'pass' }
    const what = report.settings.dark ? 'would shed' : 'sheds'
    return { status: 'warn', reason: `load shedder '${name}' ${what} load` }
  }

  shouldShed(priority: Priority | number = 'normal'): boolean {
    if (typeof priority === 'number') {
      const levels = this.gate instanceof LoadGate ? this.gate.settings.priorityLevels : Number.MAX_SAFE_INTEGER
      integerOption(this.name, 'priority', priority, { min: 1, max: levels })
    } else choiceOption(this.name, 'priority', priority, priorities)
    return this.gate.shouldShed(priority)
  }

  reconfigure(options: LoadShedderSettings): void {
    const { mode, gate, report, name, clock } = this
    if (modeOption(options) !== mode) throw invalidOption(name, 'mode', options.mode, `'${mode}', as it was made`)
    checkOptionNames(name, options, optionNames[mode])
    const settings = reportSettings(name, clock, report.settings.random, options)
    if (gate instanceof LoadGate) gate.reconfigure(loadSettings(name, options as LoadModeSettings))
    else if (gate instanceof ThrottleGate) {
      const { throttle, isOverload } = throttleSettings(name, options as ThrottleModeSettings)
      gate.reconfigure(throttle, isOverload)
    } else gate.reconfigure(delaySettings(name, options as DelayModeSettings))
    report.settings = settings
  }

  dispose(): void {
    if (this.gate instanceof DelayGate) this.gate.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private newGate(options: LoadShedderOptions): LoadGate | ThrottleGate | DelayGate {
    if (options.mode === 'queue-delay') return new DelayGate(delaySettings(this.name, options), this.report)
    if (options.mode !== 'client-throttle') return new LoadGate(loadSettings(this.name, options), this.report)
    const { throttle, isOverload } = throttleSettings(this.name, options)
    return new ThrottleGate(throttle, this.report, isOverload)
  }
}

function modeOption(options: unknown): Mode {
  const { mode } = (options ?? {}) as { readonly mode?: unknown }
  return mode === undefined ? 'load' : choiceOption('loadShedder', 'mode', mode, Object.keys(optionNames) as Mode[])
}

function reportSettings(name: string, clock: Clock, random: Random, { dark, retryAfter }: CommonSettings): ReportSettings {
  return {
    name,
    clock,
    random,
    dark: booleanOption(name, 'dark', dark ?? false),
    retryAfterMs: durationMs(name, 'retryAfter', retryAfter ?? '1s'),
  }
}

function loadSettings(name: string, options: LoadModeSettings): LoadSettings {
  const maxLoad = numberOption(name, 'maxLoad', options.maxLoad ?? 0.8, { min: 0.01 })
  const shedFrom = numberOption(name, 'shedFrom', options.shedFrom ?? 0.75 * maxLoad, { max: maxLoad })
  const isBlind = options.sources === undefined && options.capacity === undefined
  const sources = sourcesOption(name, options.sources ?? (isBlind ? { eventLoop: eventLoopUtilization() } : {}))
  if (options.capacity === undefined && Object.keys(sources).length === 0)
    throw invalidOption(name, 'sources', options.sources, 'at least one function, or absent: something has to say what the load is')
  const shares = sharesOption(name, options)
  if (options.capacity === undefined && shares !== undefined)
    throw invalidOption(name, 'capacity', options.capacity, 'given together with partitions: shares are shares of it')
  return {
    maxLoad,
    shedFrom,
    hardLimit: numberOption(name, 'hardLimit', options.hardLimit ?? Math.max(1, 1.25 * maxLoad), { min: maxLoad }),
    hysteresis: numberOption(name, 'hysteresis', options.hysteresis ?? Math.min(0.05, shedFrom), { max: shedFrom }),
    priorityLevels: integerOption(name, 'priorityLevels', options.priorityLevels ?? 3, { min: 1, max: 1_000 }),
    capacity: options.capacity === undefined ? Infinity : integerOption(name, 'capacity', options.capacity, { min: 1 }),
    sources,
    sampleEveryMs: durationMs(name, 'sampleEvery', options.sampleEvery ?? '100ms'),
    shares,
  }
}

function sourcesOption(name: string, sources: unknown): Readonly<Record<string, LoadSource>> {
  if (typeof sources !== 'object' || sources === null || Array.isArray(sources))
    throw invalidOption(name, 'sources', sources, 'functions by name, such as { cpu: cpuUsage() }')
  for (const [key, source] of Object.entries(sources)) {
    if (typeof source !== 'function') throw invalidOption(name, `sources.${key}`, source, 'a function that answers with the load')
  }
  return { ...(sources as Record<string, LoadSource>) }
}

function throttleSettings(
  name: string,
  options: ThrottleModeSettings,
): { readonly throttle: ThrottleSettings; readonly isOverload: (error: unknown) => boolean } {
  const maxRejectRatio = ratioOption(name, 'maxRejectRatio', options.maxRejectRatio ?? 0.85)
  if (maxRejectRatio === 1) throw invalidOption(name, 'maxRejectRatio', 1, 'below 1: nobody would find out that the dependency is back')
  return {
    throttle: {
      k: numberOption(name, 'k', options.k ?? 2, { min: 1 }),
      windowMs: durationMs(name, 'window', options.window ?? '10s', { min: 100 }),
      minVolume: integerOption(name, 'minVolume', options.minVolume ?? 10, { min: 1 }),
      maxRejectRatio,
    },
    isOverload: functionOption(name, 'isOverload', options.isOverload) ?? always,
  }
}

function delaySettings(name: string, options: DelayModeSettings): DelaySettings {
  const intervalMs = durationMs(name, 'interval', options.interval ?? '100ms', { min: 1 })
  const targetMs = durationMs(name, 'target', options.target ?? '5ms', { min: 0 })
  if (targetMs > intervalMs) throw invalidOption(name, 'target', options.target, `no longer than interval, ${intervalMs} ms`)
  return {
    maxConcurrent: integerOption(name, 'maxConcurrent', options.maxConcurrent, { min: 1 }),
    maxQueued: integerOption(name, 'maxQueued', options.maxQueued ?? 1_000),
    targetMs,
    intervalMs,
  }
}

function always(): boolean {
  return true
}
