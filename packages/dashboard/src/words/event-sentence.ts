import type { EventView } from '@holdfast/server/wire'
import { countText, durationText, ratioText } from './figure-text.ts'
import { nameOfPolicy } from './policy-name.ts'

/** What an event means for those who look: it decides glyph and colour, never the words. */
export type EventTone = 'good' | 'bad' | 'warning' | 'paused' | 'forced' | 'plain'

/** An event in plain words. The subject stands first, so that a page can make a link of it: "llm" + "opened its circuit: …". */
export interface EventSentence {
  readonly subject: string
  readonly text: string
  readonly tone: EventTone
  /** Something is different from now on; others repeat with every call. */
  readonly isChange: boolean
  /** The same of many policies at once is told as one. */
  readonly isShared: boolean
}

type Telling = (data: EventData, event: EventView) => string

interface EventWords {
  readonly tone: EventTone
  readonly tell: Telling
  readonly isChange?: boolean
  readonly isShared?: boolean
}

/** Reads an event's data, which comes from another program and may be of another version. */
class EventData {
  private readonly values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values
  }

  number(name: string): number | null {
    const value = this.values[name]
    return typeof value === 'number' && Number.isFinite(value) ? value : null
  }

  text(name: string): string | null {
    const value = this.values[name]
    return typeof value === 'string' && value !== '' ? value : null
  }

  is(name: string): boolean {
    return this.values[name] === true
  }

  /** The text of a number, or "some". */
  count(name: string): string {
    const value = this.number(name)
    return value === null ? 'some' : countText(value)
  }

  duration(name: string): string | null {
    const value = this.number(name)
    return value === null ? null : durationText(value)
  }

  /** Which rule opened a circuit, as the library's `reason.rule`. */
  rule(): string | null {
    const reason = this.values['reason']
    if (typeof reason === 'string') return reason
    const rule = typeof reason === 'object' && reason !== null ? (reason as { rule?: unknown }).rule : null
    return typeof rule === 'string' ? rule : null
  }

  after(before: string, name = 'error', behind = ''): string {
    const text = this.text(name)
    return text === null ? '' : `${before}${text}${behind}`
  }
}

const whyOpened: Readonly<Record<string, (data: EventData) => string>> = {
  'failure-threshold': (data) => `${data.count('failures')} calls failed`,
  'consecutive-failures': (data) => `${data.count('failures')} calls failed in a row`,
  'failure-ratio': (data) => shareOf(data, 'failures', 'failed'),
  'slow-call-ratio': (data) => shareOf(data, 'slowCalls', 'were slow'),
  'probe-failed': () => 'the probe failed',
  'probe-expired': () => 'the probe never ended',
  asked: () => 'the answer itself asked for it',
  manual: () => 'by hand',
}

function shareOf(data: EventData, part: string, what: string): string {
  const some = data.number(part)
  const all = data.number('calls')
  if (some === null || all === null || all === 0) return `too many calls ${what}`
  return `${countText(some)} of ${countText(all)} calls ${what} (${ratioText(Math.min(1, some / all))})`
}

function openedBecause(data: EventData): string {
  const rule = data.rule()
  return rule === null ? '' : `: ${whyOpened[rule]?.(data) ?? rule}`
}

function untilProbe(data: EventData): string {
  const openFor = data.duration('openForMs')
  return openFor === null ? '; it stays open until somebody closes it' : `; next probe after ${openFor}`
}

const whyRefused: Readonly<Record<string, string>> = {
  ERR_BULKHEAD_FULL: 'no place and no seat in the queue was free',
  ERR_BULKHEAD_WAIT: 'no place came free in time',
  ERR_LOAD_SHED: 'more important calls go first under load',
  ERR_CONCURRENCY_LIMITED: 'as many run as the dependency can bear',
  ERR_THROTTLED: 'as many wait for their start as may',
  ERR_THROTTLE_WAIT: 'its start could not come in time',
  ERR_RATE_LIMITED: 'the limit is used up',
  ERR_RATE_LIMIT_WAIT: 'the limit had no room in time',
  ERR_QUOTA_PAUSED: 'the provider asked everybody to wait',
  ERR_DISPOSED: 'it has been shut down',
}

function refusedBecause(data: EventData): string {
  const code = data.text('code')
  return code === null ? '' : `: ${whyRefused[code] ?? code}`
}

function ofKey(data: EventData): string {
  return data.after(' for the key ', 'key')
}

const actionWords: Readonly<Record<string, string>> = {
  'force-open': 'was forced open',
  isolate: 'was isolated',
  disable: 'was switched off',
  close: 'was closed by hand',
  reset: 'was reset',
}

/** " for 1 h", of what ends by itself. */
function lasting(data: EventData, event: EventView): string {
  const expiresAt = data.number('expiresAt')
  return expiresAt === null ? '' : ` for ${durationText(expiresAt - event.at)}`
}

/** "by anna: the reason", of whoever changed something by hand. */
function byWhom(data: EventData): string {
  return `${data.after(' by ', 'by')}${data.after(': ', 'reason')}`
}

/** Every type that the library and the server tell, in plain words. */
const words: Readonly<Record<string, EventWords>> = {
  'circuit.opened': {
    tone: 'bad',
    isChange: true,
    tell: (data) => `opened its circuit${data.is('forced') ? ' (forced)' : ''}${openedBecause(data)}${untilProbe(data)}`,
  },
  'circuit.half-opened': { tone: 'warning', isChange: true, tell: () => 'lets a first probe through its open circuit' },
  'circuit.closed': {
    tone: 'good',
    isChange: true,
    tell: (data) => {
      if (data.is('manual')) return `closed its circuit by hand${data.after(' (it was ', 'from', ')')}`
      return data.text('from') === 'half-open' ? 'closed its circuit: the probes succeeded' : 'closed its circuit'
    },
  },
  'circuit.isolated': {
    tone: 'forced',
    isChange: true,
    tell: () => 'isolated its circuit: every call is refused until somebody closes it',
  },
  'circuit.disabled': { tone: 'forced', isChange: true, tell: () => 'switched its circuit off: calls pass unguarded and are not counted' },
  'circuit.would-have-opened': { tone: 'warning', tell: (data) => `would have opened its circuit, but only watches${openedBecause(data)}` },
  'circuit.ejection-capped': {
    tone: 'warning',
    tell: (data) => `would have opened its circuit, but as many of its group are open as may be${openedBecause(data)}`,
  },
  'circuit.restored': { tone: 'plain', isChange: true, tell: (data) => `was put back as it was saved${data.after(': ', 'state')}` },
  'circuit.probe-expired': { tone: 'warning', tell: () => 'gave up a probe that did not end in time; it counts as failed' },
  'retry.scheduled': {
    tone: 'plain',
    tell: (data) => {
      const delay = data.duration('delayMs')
      return `asks again${delay === null ? '' : ` in ${delay}`} (attempt ${data.count('attempt')})${data.after(' after ')}`
    },
  },
  'retry.exhausted': {
    tone: 'warning',
    tell: (data) => `gave up after ${data.count('attempts')} attempts${data.after('; the last ended with ')}`,
  },
  'retry.budget-exhausted': {
    tone: 'warning',
    tell: (data) => `did not ask again: the retry budget${data.after(' ', 'budget')} is used up${data.after('; the call ended with ')}`,
  },
  'hedge.started': {
    tone: 'plain',
    tell: (data) =>
      `asked a second time beside a late answer (attempt ${data.count('attempt')}, after ${data.duration('afterMs') ?? 'a while'})`,
  },
  'hedge.won': { tone: 'good', tell: (data) => `was answered first by attempt ${data.count('attempt')}` },
  'hedge.suppressed': { tone: 'warning', tell: (data) => `did not ask a second time: the budget${data.after(' ', 'budget')} is used up` },
  'timeout.fired': { tone: 'warning', tell: (data) => `gave up a call after ${data.duration('afterMs') ?? 'its time'}` },
  'timeout.late': {
    tone: 'plain',
    tell: (data) => `saw work end that it had given up${data.number('lateByMs') === null ? '' : `, ${data.duration('lateByMs')} late`}`,
  },
  'bulkhead.rejected': {
    tone: 'warning',
    tell: (data) => `refused a call${refusedBecause(data)} (${data.count('running')} running, ${data.count('queued')} waiting)`,
  },
  'bulkhead.queued': {
    tone: 'plain',
    tell: (data) => `let a call wait (${data.count('running')} running, ${data.count('queued')} waiting)`,
  },
  'bulkhead.hold-expired': {
    tone: 'warning',
    tell: (data) => `took a place back that was held for ${data.duration('maxHoldMs') ?? 'too long'}`,
  },
  'bulkhead.resized': {
    tone: 'plain',
    isChange: true,
    tell: (data) => `now has ${data.count('to')} places instead of ${data.count('from')}`,
  },
  'limiter.rejected': {
    tone: 'warning',
    tell: (data) => {
      const retryAfter = data.duration('retryAfterMs')
      return `refused a call${ofKey(data)}${refusedBecause(data)}${retryAfter === null ? '' : `; there is room in ${retryAfter}`}`
    },
  },
  'throttler.rejected': {
    tone: 'warning',
    tell: (data) => `refused a call${refusedBecause(data)} (${data.count('running')} running, ${data.count('queued')} waiting)`,
  },
  'concurrency.rejected': {
    tone: 'warning',
    tell: (data) => `refused a call${refusedBecause(data)} (limit ${data.count('limit')}, ${data.count('queued')} waiting)`,
  },
  'concurrency.limit-changed': {
    tone: 'plain',
    tell: (data) => `moved its limit of concurrent calls from ${data.count('from')} to ${data.count('to')}`,
  },
  'load.shedding-started': {
    tone: 'warning',
    isChange: true,
    tell: (data) => `${data.is('dark') ? 'would shed' : 'sheds'} the least important calls from now on`,
  },
  'load.shedding-ended': { tone: 'good', isChange: true, tell: (data) => `sheds no calls any more (${data.count('shed')} were)` },
  'load.shed': {
    tone: 'warning',
    tell: (data) =>
      `${data.is('dark') ? 'would have turned' : 'turned'} ${data.count('calls')} calls away${data.after(' of priority ', 'priority')}`,
  },
  'cache.stale-served': {
    tone: 'warning',
    tell: (data) => `answered with a value that was ${data.duration('ageMs') ?? 'some time'} old${data.after('; no new one: ')}`,
  },
  'cache.refresh-failed': { tone: 'warning', tell: (data) => `could not fetch a new value${data.after(': ')}` },
  'limiter.paused': {
    tone: 'paused',
    tell: (data) =>
      `pauses ${data.text('key') === null ? 'all callers' : `the key ${data.text('key')}`} for ${data.duration('forMs') ?? 'a while'}: asked to wait`,
  },
  'limiter.resumed': {
    tone: 'good',
    tell: (data) => `lets ${data.text('key') === null ? 'callers' : `the key ${data.text('key')}`} through again`,
  },
  'fallback.used': { tone: 'warning', tell: (data) => `answered with its fallback${data.after('; the call ended with ')}` },
  'fallback.failed': { tone: 'bad', tell: (data) => `could not answer with its fallback${data.after(': ')}` },
  'idempotency.replayed': { tone: 'plain', tell: (data) => `answered with the stored outcome${data.after(' of ', 'operation')}` },
  'idempotency.refused': { tone: 'warning', tell: (data) => `refused a call by its idempotency key${data.after(': ', 'code')}` },
  'idempotency.recovered': {
    tone: 'plain',
    tell: (data) => `found out what became of an interrupted operation${data.after(': ', 'outcome')}`,
  },
  'idempotency.unprotected': {
    tone: 'bad',
    tell: (data) => `ran an operation although its store cannot be reached${data.after(': ', 'operation')}`,
  },
  'idempotency.lease-lost': {
    tone: 'bad',
    tell: (data) => `lost the claim on an operation that still ran${data.after(': ', 'operation')}`,
  },
  'idempotency.not-stored': {
    tone: 'bad',
    tell: (data) => `could not store the outcome of an operation${data.after(': ', 'operation')}`,
  },
  'state.entered': {
    tone: 'plain',
    tell: (data) => `is now in the state ${data.text('to') ?? 'it has'}${data.after(' (it was ', 'from', ')')}`,
  },
  'state.transition-refused': {
    tone: 'warning',
    tell: (data) => `did not take the event${data.after(' ', 'event')}${data.after(' in the state ', 'state')}: a guard says no`,
  },
  'state.transition-failed': {
    tone: 'bad',
    tell: (data) => `failed in the transition${data.after(' by ', 'event')}; it is in the state ${data.text('state') ?? 'it has'}`,
  },
  'worker.started': { tone: 'plain', tell: () => 'started a worker' },
  'worker.ended': { tone: 'plain', tell: (data) => `ended a worker${data.after(': ', 'why')}` },
  'cell.drained': { tone: 'plain', isChange: true, tell: () => 'has no call under way any more' },
  'system.policy-registered': { tone: 'plain', isShared: true, tell: () => 'is new here' },
  'system.policy-removed': { tone: 'plain', isShared: true, tell: () => 'is no more' },
  'control.changed': {
    tone: 'forced',
    isChange: true,
    tell: (data, event) => {
      const action = data.text('action') ?? ''
      return `${actionWords[action] ?? `was changed (${action})`}${lasting(data, event)}${byWhom(data)}`
    },
  },
  'control.forced-ended': {
    tone: 'forced',
    isChange: true,
    tell: (data) =>
      `decides for itself again: ${data.is('expired') ? 'the time is over' : `taken back${data.after(' by ', 'by')}`}${data.after(' (it had been: ', 'action', ')')}`,
  },
  'control.silenced': { tone: 'plain', isChange: true, tell: (data, event) => `was silenced${lasting(data, event)}${byWhom(data)}` },
  'control.silence-ended': {
    tone: 'plain',
    isChange: true,
    tell: (data) => `is silenced no more: ${data.is('expired') ? 'the time is over' : `taken back${data.after(' by ', 'by')}`}`,
  },
  'control.noted': { tone: 'plain', isChange: true, tell: (data) => `${data.text('text') ?? ''}${data.after(' (', 'by', ')')}` },
}

function tellUnknown(data: Readonly<Record<string, unknown>>, type: string): string {
  const figures = Object.entries(data).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [`${name} ${value}`] : [],
  )
  return figures.length === 0 ? type : `${type} (${figures.join(', ')})`
}

/** Whether there are words for a type; others are shown as they came. */
export function isKnownEventType(type: string): boolean {
  return Object.hasOwn(words, type) || type.endsWith('.callback-failed')
}

/** Every type there are words for, for the filter's suggestions. */
export const knownEventTypes: readonly string[] = Object.keys(words)

export function eventSentence(event: EventView): EventSentence {
  const subject = nameOfPolicy(event.policy)
  const data = new EventData(event.data)
  const known = Object.hasOwn(words, event.type) ? words[event.type] : undefined
  if (known !== undefined) {
    const { tone, isChange = false, isShared = false, tell } = known
    return { subject, text: tell(data, event), tone, isChange, isShared }
  }
  const other = { subject, isChange: false, isShared: false } as const
  if (!event.type.endsWith('.callback-failed')) return { ...other, text: tellUnknown(event.data, event.type), tone: 'plain' }
  return { ...other, text: `called its function ${data.text('callback') ?? ''} and it failed${data.after(': ')}`, tone: 'bad' }
}
