import { faultForms, isServiceName, parseFault, serviceNames, type FaultState, type ServiceName } from './faults.ts'

/** What somebody asks of a running demo, from the page, the control API or the command line. */
export interface FaultRequest {
  readonly service: ServiceName
  /** `script` gives the service back to the script. */
  readonly fault: FaultState | 'script'
  /** In ms; for ever when absent. */
  readonly forMs?: number
}

const longestMs = 3_600_000

/**
 * Reads `{ service: 'llm', fault: 'slow:5' | 'none' | 'script', forMs?: 20000 }`.
 * @throws RangeError that says what is wrong and what is allowed.
 */
export function readFaultRequest(body: unknown): FaultRequest {
  const { service, fault, forMs } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  if (!isServiceName(service)) throw new RangeError(`'service' has to be one of ${serviceNames.join(', ')}`)
  if (typeof fault !== 'string') throw new RangeError(`'fault' has to be one of script, ${faultForms.join(', ')}`)
  if (forMs !== undefined && !(typeof forMs === 'number' && forMs > 0 && forMs <= longestMs)) {
    throw new RangeError(`'forMs' has to be a number of milliseconds above 0, at most ${longestMs}`)
  }
  return { service, fault: fault === 'script' ? fault : parseFault(fault), ...(forMs === undefined ? {} : { forMs }) }
}

/**
 * Reads what follows `--fault`: `llm=slow:5`, `search=stall`, `orders=none`, `llm=script`.
 * @throws RangeError that says what is allowed.
 */
export function readFaultArgument(text: string): FaultRequest {
  const at = text.indexOf('=')
  if (at < 0) throw new RangeError(`'${text}' has to look like SERVICE=FAULT, for example llm=slow:5`)
  return readFaultRequest({ service: text.slice(0, at), fault: text.slice(at + 1) })
}
