import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FaultState } from '../faults.ts'
import type { Answer, EventsAnswer, Exchange, JsonAnswer } from './exchange.ts'
import type { RequestOutcome } from './service-stats.ts'

/** What becomes of an answer on its way. */
export type Fate = 'whole' | 'reset' | 'cut' | 'stall'

/** The fate that the fault of the moment gives a request; `drawn` in [0, 1) decides whether it is among the share. */
export function fateOf(fault: FaultState, drawn: number): Fate {
  if (fault === undefined || !('share' in fault) || drawn >= fault.share) return 'whole'
  if (fault.kind === 'outage') return fault.mode === 'reset' ? 'reset' : 'whole'
  return fault.kind
}

export function outcomeOf(answer: Answer, fate: Fate): RequestOutcome {
  if (fate === 'stall') return 'stalled'
  if (fate !== 'whole') return 'broken'
  if ('outcome' in answer && answer.outcome !== undefined) return answer.outcome
  if (answer.status < 300) return 'ok'
  if (answer.status === 429) return 'limited'
  return answer.status >= 500 ? 'broken' : 'invalid'
}

/** Sends an answer as far as its fate lets it come. */
export async function deliver(response: ServerResponse, answer: Answer, fate: Fate, exchange: Exchange): Promise<void> {
  if (fate === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  if ('events' in answer) await sendEvents(response, answer, fate, exchange)
  else if (fate === 'whole') sendJson(response, answer)
  else if (fate === 'cut') await sendHalf(response, answer)
  if (fate === 'cut') response.destroy()
  if (fate !== 'stall') return
  exchange.endWork()
  if (!exchange.gone.aborted) await once(exchange.gone, 'abort')
}

export function sendJson(response: ServerResponse, answer: JsonAnswer): void {
  response.end(startJson(response, answer))
}

async function sendHalf(response: ServerResponse, answer: JsonAnswer): Promise<void> {
  const bytes = startJson(response, answer)
  await written(response, bytes.subarray(0, bytes.length >> 1))
}

function startJson(response: ServerResponse, answer: JsonAnswer): Buffer {
  const bytes = Buffer.from(JSON.stringify(answer.body))
  response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': bytes.length, ...answer.headers })
  return bytes
}

/** Destroying a connection throws away what has not left the process yet. */
function written(response: ServerResponse, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => response.write(bytes, () => resolve()))
}

/** A stream that is cut or stalls gets half-way. */
async function sendEvents(response: ServerResponse, answer: EventsAnswer, fate: Fate, exchange: Exchange): Promise<void> {
  const { events, intervalMs, headers } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache', ...headers })
  for (const event of fate === 'whole' ? events : events.slice(0, events.length >> 1)) {
    await exchange.work(intervalMs)
    await written(response, event)
  }
  if (fate === 'whole') response.end()
}
