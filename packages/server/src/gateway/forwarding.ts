import { isIPv6 } from 'node:net'
import type { ClientOrigin } from './client-origin.ts'

/** How an upstream is told who asks: the de-facto headers, RFC 7239, both, or not at all. */
export type ForwardingStyle = 'x-forwarded' | 'rfc7239' | 'both' | 'none'

/** Adds the headers that tell an upstream of the client. What the client itself said there is gone by now. */
export function addForwarding(headers: string[], style: ForwardingStyle, { address, host, protocol }: ClientOrigin): void {
  if (style === 'x-forwarded' || style === 'both') {
    headers.push('x-forwarded-for', address, 'x-forwarded-proto', protocol)
    if (host !== undefined) headers.push('x-forwarded-host', host)
  }
  if (style === 'rfc7239' || style === 'both') {
    const node = isIPv6(address) ? `"[${address}]"` : address
    headers.push('forwarded', `for=${node}${host === undefined ? '' : `;host=${quoted(host)}`};proto=${protocol}`)
  }
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
