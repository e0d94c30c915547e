import { isIPv6 } from 'node:net'

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * What counts as one client: an IPv4 address, or a /64 of IPv6, since a customer of a network provider usually has a whole one to
 * call from. An IPv4 address inside an IPv6 one is that address.
 */
export function clientNetwork(address: string): string {
  if (!isIPv6(address)) return address
  const inside = mapped.exec(address)?.[1]
  if (inside !== undefined) return inside
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
