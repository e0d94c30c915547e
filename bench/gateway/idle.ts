import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuMs, residentMiB, wakeUps } from '../processes/process-figures.ts'
import type { Contestant } from './contestants.ts'

/** What a proxy costs while nothing happens. */
export interface IdleFigures {
  readonly contestant: Contestant
  /** Before the first connection. */
  readonly residentMiB: number
  /** Resident memory added by each connection that has carried one request and stays open. */
  readonly kibPerConnection: number
  readonly connections: number
  readonly seconds: number
  /** CPU time spent while idle, in ms per second. */
  readonly cpuMsPerSecond: number
  readonly wakeUpsPerSecond: number
}

export interface IdleOptions {
  readonly connections: number
  readonly seconds: number
}

/** Opens connections, sends one request on each, and watches how the proxy does nothing. */
export async function measureIdle(contestant: Contestant, { connections, seconds }: IdleOptions): Promise<IdleFigures> {
  const { child, url } = await contestant.start()
  if (child === undefined) throw new Error(`${contestant.name} is no process`)
  const sockets: Socket[] = []
  try {
    sockets.push(await openWithRequest(url))
    await pause(1_000) // what a start leaves behind is done
    const before = residentMiB(child.pid)
    while (sockets.length <= connections) sockets.push(await openWithRequest(url))
    await pause(1_000)
    const added = residentMiB(child.pid) - before
    const [cpuBefore, wakesBefore, startedAt] = [cpuMs(child.pid), wakeUps(child.pid), performance.now()]
    await pause(seconds * 1_000)
    const elapsed = (performance.now() - startedAt) / 1_000
    return {
      contestant,
      residentMiB: before,
      kibPerConnection: (added * 1_024) / connections,
      connections,
      seconds,
      cpuMsPerSecond: (cpuMs(child.pid) - cpuBefore) / elapsed,
      wakeUpsPerSecond: (wakeUps(child.pid) - wakesBefore) / elapsed,
    }
  } finally {
    for (const socket of sockets) socket.destroy()
    await child.stop()
  }
}

/** A connection that has carried one request and stays open. */
function openWithRequest(url: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(`${url}/item`)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${url} closed a connection that should stay open`)))
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (answer.includes('"}')) resolve(socket) // the end of the payload
    })
    socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)
  })
}
