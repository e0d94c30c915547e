import type { UpstreamSettings } from '../config/index.ts'
import type { UpstreamTls } from '../gateway/index.ts'

/** The certificates of an upstream's settings as its connections take them. */
export function upstreamTls({ privateKey, ...rest }: NonNullable<UpstreamSettings['tls']>): UpstreamTls {
  return { ...rest, ...(privateKey === undefined ? {} : { key: privateKey }) }
}
