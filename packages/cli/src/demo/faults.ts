/** The dependencies of the demo, each a process of its own in each lane. */
export const serviceNames = ['llm', 'search', 'orders'] as const
export type ServiceName = (typeof serviceNames)[number]

/**
 * What can be wrong with a service, one fault at a time. `share` is the part of the requests that meet it, above 0 to 1; which
 * ones is drawn from the seed.
 */
export type Fault =
  /** Everything takes `factor` times as long. */
  | { readonly kind: 'slow'; readonly factor: number }
  /** At most `perSecond` requests are served; the others get 429 with Retry-After. */
  | { readonly kind: 'rate-limit'; readonly perSecond: number }
  /** `refuse` closes the port, `reset` cuts the connection when the work is done, `error` answers 503. */
  | { readonly kind: 'outage'; readonly mode: OutageMode; readonly share: number }
  /** The request is taken, and its answer (or the rest of its stream) never comes. */
  | { readonly kind: 'stall'; readonly share: number }
  /** The connection breaks in the middle of the answer. */
  | { readonly kind: 'cut'; readonly share: number }

export type OutageMode = 'refuse' | 'reset' | 'error'

/** What a service does now: a fault, or none. */
export type FaultState = Fault | undefined

const outageModes: readonly OutageMode[] = ['refuse', 'reset', 'error']

/** Every form {@link parseFault} takes, for help texts and error messages. */
export const faultForms: readonly string[] = [
  'none',
  'slow[:FACTOR]',
  'rate-limit[:PER-SECOND]',
  'outage[:refuse|reset|error[:SHARE]]',
  'stall[:SHARE]',
  'cut[:SHARE]',
]

/**
 * Reads a fault as typed: `slow:5`, `rate-limit:4`, `outage:reset:0.5`, `stall`, `cut:0.3`, `none` (undefined).
 * @throws RangeError that names the text and every allowed form.
 */
export function parseFault(text: string): FaultState {
  const [kind, first, second, ...rest] = text.split(':')
  const extra = rest.length > 0 || (second !== undefined && kind !== 'outage')
  const fault = extra ? 'unreadable' : faultOf(kind, first, second)
  if (fault === 'unreadable') throw new RangeError(`'${text}' is not a fault; allowed are ${faultForms.join(', ')}`)
  return fault
}

function faultOf(kind: string | undefined, first: string | undefined, second: string | undefined): FaultState | 'unreadable' {
  switch (kind) {
    case 'none':
      return first === undefined ? undefined : 'unreadable'
    case 'slow':
      return checked({ kind, factor: numberOr(first, 5) })
    case 'rate-limit':
      return checked({ kind, perSecond: numberOr(first, 4) })
    case 'outage':
      return checked({ kind, mode: (first ?? 'error') as OutageMode, share: numberOr(second, 1) })
    case 'stall':
    case 'cut':
      return checked({ kind, share: numberOr(first, 1) })
    default:
      return 'unreadable'
  }
}

function numberOr(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  return text.trim() === '' ? NaN : Number(text)
}

function checked(fault: Fault): Fault | 'unreadable' {
  return isFault(fault) ? fault : 'unreadable'
}

/** Whether data from outside is a fault with values in range. */
export function isFault(value: unknown): value is Fault {
  if (typeof value !== 'object' || value === null) return false
  const { kind, factor, perSecond, mode, share } = value as Record<string, unknown>
  switch (kind) {
    case 'slow':
      return isBetween(factor, 1, 1_000)
    case 'rate-limit':
      return isBetween(perSecond, 0.1, 10_000)
    case 'outage':
      return outageModes.includes(mode as OutageMode) && isShare(share)
    case 'stall':
    case 'cut':
      return isShare(share)
    default:
      return false
  }
}

function isShare(value: unknown): boolean {
  return isBetween(value, Number.MIN_VALUE, 1)
}

function isBetween(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max
}

export function isServiceName(value: unknown): value is ServiceName {
  return serviceNames.includes(value as ServiceName)
}

/** The fault in the form {@link parseFault} reads. */
export function formatFault(fault: FaultState): string {
  if (fault === undefined) return 'none'
  switch (fault.kind) {
    case 'slow':
      return `slow:${fault.factor}`
    case 'rate-limit':
      return `rate-limit:${fault.perSecond}`
    case 'outage':
      return fault.share === 1 ? `outage:${fault.mode}` : `outage:${fault.mode}:${fault.share}`
    case 'stall':
    case 'cut':
      return fault.share === 1 ? fault.kind : `${fault.kind}:${fault.share}`
  }
}

/** The fault for people: 'slow × 5', '429 above 4/s', 'outage (503)'. */
export function describeFault(fault: FaultState): string {
  if (fault === undefined) return 'no fault'
  const share = 'share' in fault && fault.share < 1 ? ` (${Math.round(fault.share * 100)} % of requests)` : ''
  switch (fault.kind) {
    case 'slow':
      return `slow × ${fault.factor}`
    case 'rate-limit':
      return `429 above ${fault.perSecond}/s`
    case 'outage':
      return { refuse: 'refuses connections', reset: 'resets connections', error: 'answers 503' }[fault.mode] + share
    case 'stall':
      return `never answers${share}`
    case 'cut':
      return `cuts its answers${share}`
  }
}
