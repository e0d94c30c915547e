import { isIP } from 'node:net'
import * as z from 'zod'
import { integer, parsedScalar, text } from './scalars.ts'

export function host(): z.ZodString {
  return text('a host name or address to listen on, such as 127.0.0.1 or ::1', /^(?!.*\/)[A-Za-z0-9.:_-]+$/)
}

export function port(): z.ZodType<number> {
  return integer({ min: 0, max: 65_535 })
}

/** Addresses and networks (CIDR). */
export function networks(): z.ZodArray<z.ZodType<string>> {
  return z.array(network, { error: 'must be a list of addresses' })
}

const network = parsedScalar({
  expected: 'an address or network such as 10.0.0.0/8 or ::1',
  parse: (value) => (typeof value === 'string' && isNetwork(value) ? value : undefined),
  json: { type: 'string', pattern: '^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$' },
})

function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
