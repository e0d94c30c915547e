import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, vi } from 'vitest'
import { holdResponse } from './held-response.ts'
import type { StoredResponse } from './stored-response.ts'

/** What a client gets of a handler whose response is held, and what was recorded. */
async function answered(
  handler: (response: ServerResponse) => void,
  maxBytes = 1_000,
): Promise<{ readonly answer: Response; readonly text: string; readonly recorded: readonly StoredResponse[] }> {
  const recorded: StoredResponse[] = []
  const server = createServer((_request: IncomingMessage, response) => {
    holdResponse(response, maxBytes, async (made) => void recorded.push(made))
    handler(response)
  }).listen(0, '127.0.0.1')
  try {
    await once(server, 'listening')
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    return { answer, text: await answer.text(), recorded }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const text = (stored: StoredResponse | undefined): string | undefined => stored?.body && new TextDecoder().decode(stored.body)

it.each<[string, (response: ServerResponse) => void]>([
  ['writeHead with an object', (response) => response.writeHead(201, { 'x-one': '1' }).end('done')],
  ['writeHead with a list', (response) => response.writeHead(201, 'Made', ['x-one', '1']).end(Buffer.from('done'))],
  [
    'writes, a last one with an encoding',
    (response) => {
      response.statusCode = 201
      response.setHeader('x-one', '1')
      response.write('do')
      response.write(new Uint8Array([110]))
      response.end('65', 'hex')
    },
  ],
])('records and sends %s', async (_what, handler) => {
  const { answer, text: sent, recorded } = await answered(handler)
  expect([answer.status, answer.headers.get('x-one'), sent]).toEqual([201, '1', 'done'])
  expect(recorded).toHaveLength(1)
  expect([recorded[0]?.status, Object.fromEntries(recorded[0]?.headers ?? []), text(recorded[0])]).toEqual([201, { 'x-one': '1' }, 'done'])
})

it('sends nothing before it is recorded', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  let record: () => void = () => undefined
  const finished = vi.fn()
  server.on('request', (_request, response) => {
    holdResponse(response, 1_000, () => new Promise((resolve) => (record = resolve)))
    response.on('finish', finished)
    response.end('done')
  })
  const answer = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await once(server, 'request')
  await new Promise(setImmediate)
  expect(finished).not.toHaveBeenCalled()
  record()
  expect(await (await answer).text()).toBe('done')
  server.closeAllConnections()
  server.close()
})

it('calls back those who wrote, and takes an end without anything', async () => {
  const written = vi.fn()
  const { text: sent, recorded } = await answered((response) => {
    response.write('a', written)
    response.write('b', 'utf8', written)
    response.end(written)
  })
  expect([sent, text(recorded[0])]).toEqual(['ab', 'ab'])
  expect(written).toHaveBeenCalledTimes(3)
})

it('lets through what is too long, in order, and records that it was not kept', async () => {
  const { text: sent, recorded } = await answered((response) => {
    for (let part = 0; part < 100; part++) response.write(`${part};`)
    response.end('end')
  }, 50)
  expect(sent).toBe(`${Array.from({ length: 100 }, (_, part) => `${part};`).join('')}end`)
  expect(recorded.map(({ body }) => body)).toEqual([undefined])
})

it('takes a second end for what it is', async () => {
  const { text: sent, recorded } = await answered((response) => {
    response.end('once')
    response.end('twice')
  })
  expect([sent, recorded.length]).toEqual(['once', 1])
})
