// node --conditions=@holdfast/source --import tsx bench/gateway/viewers.ts [--viewers 500] [--upstreams 20] [--seconds 20]
// What the live feed costs the server: CPU per second with so many pages open, against the same server with none.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { formatProblem, loadConfig, startServer, type RunningServer } from '@holdfast/server'

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    viewers: { type: 'string', default: '500' },
    upstreams: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
  },
})

const [url] = positionals
if (url === undefined) await measure(Number(args.viewers), Number(args.upstreams), Number(args.seconds))
else await watch(new URL(url), Number(args.viewers))

async function measure(viewers: number, upstreams: number, seconds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-viewers-'))
  const server = await start(folder, upstreams)
  const stopWork = keepChanging(server)
  try {
    await pause(3)
    const without = await cpuPerSecond(seconds)
    const rssBefore = process.memoryUsage.rss()
    const pages = await openPages(server, viewers)
    await pause(3)
    const watched = await cpuPerSecond(seconds)
    const rss = process.memoryUsage.rss()
    pages.stdin?.end()
    const [told] = (await once(pages.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    const { bytes, messages } = JSON.parse(told.toString()) as { readonly bytes: number; readonly messages: number }
    console.log(`viewers ${viewers}, policies ${server.system.policies().size}, ${seconds} s each`)
    console.log(`CPU without viewers  ${without.toFixed(1)} ms/s`)
    console.log(`CPU with viewers     ${watched.toFixed(1)} ms/s, of which the feed ${(watched - without).toFixed(1)} ms/s`)
    console.log(`resident memory      ${mebibytes(rssBefore)} MiB before, ${mebibytes(rss)} MiB with them`)
    console.log(`each viewer read     ${Math.round(bytes / viewers)} bytes in ${Math.round(messages / viewers)} messages`)
  } finally {
    stopWork()
    await server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function start(folder: string, upstreams: number): Promise<RunningServer> {
  const path = join(folder, 'reliability.yml')
  const pipeline =
    '{ totalTimeout: 30s, retry: { maxAttempts: 3 }, circuitBreaker: {}, bulkhead: { maxConcurrent: 10, maxQueued: 20 }, attemptTimeout: 10s }'
  const rows = Array.from({ length: upstreams }, (_, index) => `  service-${index}: { url: 'http://127.0.0.1:9', pipeline: ${pipeline} }`)
  await writeFile(
    path,
    [`server: { dataDir: '${join(folder, 'data')}', gateway: { port: 0 }, control: { port: 0 } }`, 'upstreams:', ...rows, ''].join('\n'),
  )
  const loaded = loadConfig(path, { env: {} })
  if (!loaded.ok) throw new Error(loaded.errors.map(formatProblem).join('\n'))
  return await startServer(loaded.config, { log: { write: () => undefined } })
}

/** Every second a call through half of the circuit breakers: as many policies are told of anew. */
function keepChanging(server: RunningServer): () => void {
  const breakers = [...server.system.policies().values()].filter(({ kind }) => kind === 'circuit-breaker')
  const timer = setInterval(() => {
    for (const [index, breaker] of breakers.entries()) if (index % 2 === 0) void breaker.tryExecute(() => undefined)
  }, 1_000)
  return () => clearInterval(timer)
}

async function openPages(server: RunningServer, viewers: number): Promise<ChildProcess> {
  const self = fileURLToPath(import.meta.url)
  const child = spawn(
    process.execPath,
    ['--conditions=@holdfast/source', '--import', 'tsx', self, server.controlUrl, '--viewers', String(viewers)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  return child
}

/** The viewers' side, in a process of its own: sockets that read what they are sent. */
async function watch({ hostname, port }: URL, viewers: number): Promise<void> {
  let bytes = 0
  let messages = 0
  const sockets = await Promise.all(
    Array.from({ length: viewers }, async (): Promise<Socket> => {
      const socket = connect(Number(port), hostname)
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        for (let at = chunk.indexOf('event: '); at >= 0; at = chunk.indexOf('event: ', at + 1)) messages++
      })
      await once(socket, 'connect')
      socket.write(`GET /events HTTP/1.1\r\nhost: ${hostname}:${port}\r\naccept: text/event-stream\r\n\r\n`)
      await once(socket, 'data')
      return socket
    }),
  )
  process.stdout.write('open\n')
  process.stdin.resume()
  await once(process.stdin, 'end')
  process.stdout.write(`${JSON.stringify({ bytes, messages })}\n`)
  for (const socket of sockets) socket.destroy()
}

async function cpuPerSecond(seconds: number): Promise<number> {
  const before = process.cpuUsage()
  const startedAt = performance.now()
  await pause(seconds)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (performance.now() - startedAt)
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1_000)
  })
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
