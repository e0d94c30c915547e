import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { FaultTolerantSystem } from 'holdfast/system'
import { Agent, request } from 'undici'
import type { UpstreamSettings } from '../config/index.ts'
import { tlsConnectOptions } from '../gateway/index.ts'
import { upstreamTls } from './upstream-tls.ts'

/** Checks an upstream's health as its settings say. Returns the function that ends it. */
export function checkUpstream(system: FaultTolerantSystem, upstream: UpstreamSettings): () => void {
  const { health } = upstream
  if (health === undefined) return () => undefined
  const url = new URL(upstream.url)
  const tls = upstream.tls === undefined ? undefined : tlsConnectOptions(upstreamTls(upstream.tls))
  const dispatcher = new Agent(tls === undefined ? {} : { connect: tls })
  const unregister = system.registerHealthCheck(`upstream/${upstream.name}`, {
    critical: health.critical,
    timeout: health.timeout,
    ttl: health.interval,
    check: async ({ signal }) => {
      if (!health.deep) return await opens(url, tls, signal)
      const target = `${upstream.url.replace(/\/+$/, '')}${health.path}`
      const { statusCode, body } = await request(target, {
        signal,
        headers: { ...upstream.headers, 'user-agent': 'holdfast-health' },
        dispatcher,
      })
      await body.dump()
      if (statusCode >= 200 && statusCode < 400) return { status: 'pass' }
      return { status: 'fail', reason: `answered ${statusCode}` }
    },
  })
  return () => {
    unregister()
    void dispatcher.destroy()
  }
}

function opens(url: URL, tls: object | undefined, signal: AbortSignal): Promise<true> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:'
    const port = Number(url.port) || (secure ? 443 : 80)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const socket = secure ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls }) : connect({ host, port })
    const leave = (): void => void socket.destroy()
    signal.addEventListener('abort', leave, { once: true })
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      resolve(true)
      leave()
    })
    socket.once('error', reject)
    socket.once('close', () => signal.removeEventListener('abort', leave))
  })
}
