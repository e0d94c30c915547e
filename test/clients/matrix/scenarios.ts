import type { ServerResponse } from 'node:http'
import { demoProvider, scriptedProvider, type Behaviour, type Provider } from './providers.ts'
import type { Cleanup } from '../../support/server.ts'
import { errorBody, wires, type Wire } from './wires.ts'

/** One thing that can be wrong with a provider. */
export interface Scenario {
  /** As the page calls it. */
  readonly title: string
  provider(wire: Wire, cleanup: Cleanup): Promise<Provider>
  /** What happens right before the client asks. */
  prepare?(provider: Provider, wire: Wire, gatewayUrl: string): Promise<void>
  /** Whether a circuit breaker stands before the provider that opens with the first failure. */
  readonly breaker?: true
  /** Whether it only makes sense for a streamed answer. */
  readonly streamedOnly?: true
}

/** Every kind of fault that the demo knows. */
const demoFaults: readonly (readonly [string, string])[] = [
  ['none', 'no fault'],
  ['slow:5', 'slow, five times'],
  ['outage:refuse', 'refuses connections'],
  ['outage:reset', 'resets connections'],
  ['outage:error', '503 for every request'],
  ['stall', 'never ends its answers'],
  ['cut', 'cuts its answers'],
]

const oneRefusal = (status: number, headers: Readonly<Record<string, string>>, type: string): Behaviour => {
  return (response, context) => {
    if (context.asked === 1) refuse(response, context.wire, status, headers, type)
    else answer(response, context)
  }
}

const refusals: readonly (readonly [string, Behaviour])[] = [
  ['429 once, retry-after in seconds', oneRefusal(429, { 'retry-after': '1' }, 'rate_limit_exceeded')],
  [
    '429 once, retry-after as a date',
    (response, context) => {
      const inASecond = new Date(Date.now() + 1_000).toUTCString()
      oneRefusal(429, { 'retry-after': inASecond }, 'rate_limit_exceeded')(response, context)
    },
  ],
  ['429 once, retry-after-ms', oneRefusal(429, { 'retry-after-ms': '100' }, 'rate_limit_exceeded')],
  ['429 with an hour to wait', always(429, { 'retry-after': '3600' }, 'rate_limit_exceeded')],
  ['429 insufficient_quota', always(429, {}, 'insufficient_quota')],
  ['529 once', oneRefusal(529, {}, 'overloaded_error')],
  ['529 for every request', always(529, {}, 'overloaded_error')],
  ['500 for every request', always(500, {}, 'server_error')],
  ['400', always(400, {}, 'invalid_request_error')],
  ['401', always(401, {}, 'authentication_error')],
  ['never answers', () => undefined],
]

const brokenStreams: readonly (readonly [string, Behaviour])[] = [
  ['stops in the middle and stays silent', streamed((response, { firstHalf }) => void response.write(firstHalf))],
  ['ends in the middle, politely', streamed((response, { firstHalf }) => void response.end(firstHalf))],
  ['an error as an event', streamed((response, { firstHalf, errorEvent }) => void response.end(firstHalf + errorEvent))],
  [
    'an event that is no JSON',
    streamed(
      (response, { firstHalf, malformed, secondHalf, endMarker }) => void response.end(firstHalf + malformed + secondHalf + endMarker),
    ),
  ],
]

export const scenarios: readonly Scenario[] = [
  ...demoFaults.map(([fault, title]) => ({ title, provider: (wire: Wire, cleanup: Cleanup) => demoProvider(wire, fault, cleanup) })),
  {
    title: 'more than its rate limit, at first',
    provider: (wire, cleanup) => demoProvider(wire, 'rate-limit:1', cleanup),
    prepare: async (provider, wire) => {
      for (let status = 200; status !== 429;) status = await ask(provider.url, wire)
    },
  },
  ...refusals.map(([title, behave]) => scripted(title, behave)),
  ...brokenStreams.map(([title, behave]) => ({ ...scripted(title, behave), streamedOnly: true as const })),
  {
    ...scripted('the circuit is open', always(500, {}, 'server_error')),
    breaker: true,
    prepare: async (_provider, wire, gatewayUrl) => void (await ask(gatewayUrl, wire)),
  },
]

/** What the matrix tells apart when the clients' own retries stay on. */
export const retryScenarios: readonly Scenario[] = scenarios.filter(({ title }) =>
  ['refuses connections', 'resets connections', '500 for every request', 'never answers'].includes(title),
)

function scripted(title: string, behave: Behaviour): Scenario {
  return { title, provider: (wire, cleanup) => scriptedProvider(wire, behave, cleanup) }
}

function always(status: number, headers: Readonly<Record<string, string>>, type: string): Behaviour {
  return (response, { wire }) => refuse(response, wire, status, headers, type)
}

function refuse(response: ServerResponse, wire: Wire, status: number, headers: Readonly<Record<string, string>>, type: string): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(errorBody(wire, type, 'refused by the test'))
}

function answer(response: ServerResponse, { wire, stream }: Parameters<Behaviour>[1]): void {
  const { whole, firstHalf, secondHalf, endMarker } = wires[wire]
  if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(firstHalf + secondHalf + endMarker)
  else response.writeHead(200, { 'content-type': 'application/json' }).end(whole)
}

function streamed(send: (response: ServerResponse, pieces: (typeof wires)[Wire]) => void): Behaviour {
  return (response, { wire }) => send(response.writeHead(200, { 'content-type': 'text/event-stream' }), wires[wire])
}

async function ask(url: string, wire: Wire): Promise<number> {
  const path = wire === 'openai' ? '/v1/chat/completions' : '/v1/messages'
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
  const response = await fetch(url + path, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  await response.text()
  return response.status
}
