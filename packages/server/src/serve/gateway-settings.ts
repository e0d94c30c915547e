import type { ServerSettings } from '../config/index.ts'
import type { LiveGatewayOptions } from '../gateway/index.ts'
import { addressMatcher } from './address-matcher.ts'

/** The settings of the gateway that may change while it runs. */
export function liveGatewayOptions({ gateway }: ServerSettings): LiveGatewayOptions {
  return {
    headersTimeoutMs: gateway.headersTimeout,
    bodyTimeoutMs: gateway.bodyTimeout,
    clientIdleTimeoutMs: gateway.clientIdleTimeout,
    requestDeadlineMs: gateway.requestTimeout,
    maxConnections: gateway.maxConnections,
    maxConnectionsPerAddress: gateway.maxConnectionsPerAddress,
    isTrustedProxy: addressMatcher(gateway.trustedProxies),
  }
}
