import { isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** Who sent a request, to which host and how, as far as it can be believed. */
export interface ClientOrigin {
  readonly address: string
  readonly host: string | undefined
  readonly protocol: 'http' | 'https'
}

const hostName = /^[A-Za-z0-9._~-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/

/**
 * What the connection itself tells; or, when it comes from a proxy that is trusted, what that proxy says of the one before it: the
 * last address that no trusted proxy stands for.
 */
export function clientOrigin(request: IncomingMessage, isTrustedProxy: ((address: string) => boolean) | undefined): ClientOrigin {
  const { headers } = request
  const peer = plainAddress(request.socket.remoteAddress ?? '')
  const protocol = (request.socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http'
  if (isTrustedProxy === undefined || !isTrustedProxy(peer)) return { address: peer, host: headers.host, protocol }
  const toldHost = lastOf(headers['x-forwarded-host'])
  return {
    address: addressBehind(peer, headers['x-forwarded-for'], isTrustedProxy),
    host: toldHost !== undefined && hostName.test(toldHost) ? toldHost : headers.host,
    protocol: lastOf(headers['x-forwarded-proto'])?.toLowerCase() === 'https' ? 'https' : 'http',
  }
}

function addressBehind(peer: string, told: string | string[] | undefined, isTrustedProxy: (address: string) => boolean): string {
  let address = peer
  if (told === undefined) return address
  const hops = String(told).split(',')
  for (let index = hops.length - 1; index >= 0 && isTrustedProxy(address); index--) {
    const candidate = plainAddress((hops[index] as string).trim())
    if (isIP(candidate) === 0) break
    address = candidate
  }
  return address
}

/** Without port, brackets, zone, and the prefix under which IPv6 sockets show IPv4 addresses: one client has one spelling. */
function plainAddress(text: string): string {
  if (!text.includes(':')) return text
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text)
  const address = bracketed?.[1] ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return address
    .replace(/%.*$/, '')
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .toLowerCase()
}

function lastOf(list: string | string[] | undefined): string | undefined {
  return list === undefined ? undefined : String(list).split(',').at(-1)?.trim()
}
