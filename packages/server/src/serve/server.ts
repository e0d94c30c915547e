import { BlockList, isIPv4, type AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import type { Hono } from 'hono'
import { pipeline, type Pipeline, type RateLimiter } from 'holdfast'
import { faultTolerantSystem, type FaultTolerantSystem } from 'holdfast/system'
import { statusMatcher, type ReliabilityConfig, type UpstreamSettings } from '../config/index.ts'
import { createControl, type ControlEnvironment, type Lifecycle } from '../control/index.ts'
import { closeGracefully, createGateway, Route, type RequestRecord } from '../gateway/index.ts'
import { pageDirectory, version } from '../package-files.ts'
import { listen } from './listen.ts'
import { PolicyFactory } from './policies.ts'
import { ServerMetrics } from './server-metrics.ts'
import { prepareDataDirectory, writeRunFile } from './run-file.ts'
import { startLogging, type LogOutput } from './logging.ts'
import { UpstreamCounter, type UpstreamFigures } from './upstream-figures.ts'
import { checkUpstream } from './upstream-health.ts'

export interface StartServerOptions {
  /** Where log lines go. @defaultValue standard output */
  readonly log?: LogOutput
  /** Further routes under `/api/v1` of the control listener. */
  readonly routes?: Hono<ControlEnvironment>
  /** Further sections of the live state that the page shows. */
  readonly sections?: () => Readonly<Record<string, unknown>>
}

export interface RunningServer {
  readonly system: FaultTolerantSystem
  /** Such as `http://127.0.0.1:8080`. */
  readonly gatewayUrl: string
  readonly controlUrl: string
  /** What went through the gateway, by upstream. */
  upstreams(): readonly UpstreamFigures[]
  /** Not ready at once; requests under way finish within the grace period of the configuration; then everything is closed. */
  close(): Promise<void>
}

/** How long a body may be to be held for another attempt, in bytes. */
const maxHeldBytes = 1024 * 1024

/**
 * Starts gateway and control listener of a configuration.
 * @throws ListenError or DataDirectoryError, one line that says what to do; nothing is left running then.
 */
export async function startServer(config: ReliabilityConfig, options: StartServerOptions = {}): Promise<RunningServer> {
  await prepareDataDirectory(config.server.dataDir)
  const system = faultTolerantSystem()
  const { clock } = system
  const metrics = new ServerMetrics(system)
  const log = startLogging(system, config.server.log.level, options.log)
  const factory = new PolicyFactory(system)
  const routes = new Map<string, Route>()
  const counters = new Map<string, UpstreamCounter>()
  for (const upstream of Object.values(config.upstreams)) {
    const quota = factory.quota(upstream)
    routes.set(upstream.name, newRoute(system, factory, upstream, quota, config.server.gateway.maxBodyBytes, metrics))
    counters.set(upstream.name, new UpstreamCounter(upstream.name, clock.now()))
    checkUpstream(system, upstream)
  }
  const { gateway: gatewaySettings, control: controlSettings } = config.server
  const gateway = createGateway({
    routes,
    now: () => clock.now(),
    onRequest: (record: RequestRecord) => {
      metrics.request(record)
      if (record.upstream !== undefined) counters.get(record.upstream)?.add(record, clock.now())
    },
    headersTimeoutMs: gatewaySettings.headersTimeout,
    bodyTimeoutMs: gatewaySettings.bodyTimeout,
    requestDeadlineMs: gatewaySettings.requestTimeout,
    maxConnections: gatewaySettings.maxConnections,
    maxConnectionsPerAddress: gatewaySettings.maxConnectionsPerAddress,
    ...(gatewaySettings.trustedProxies.length === 0 ? {} : { isTrustedProxy: addressMatcher(gatewaySettings.trustedProxies) }),
  })
  metrics.inFlight(() => gateway.inFlight)
  const upstreams = (): readonly UpstreamFigures[] => [...counters.values()].map((counter) => counter.figures(clock.now()))
  let phase: Lifecycle['phase'] = 'starting'
  const startedAt = clock.wallNow()
  const control = await createControl({
    system,
    tokens: config.server.tokens.map(({ name, role, sha256 }) => ({ name, role, sha256: Buffer.from(sha256, 'hex') })),
    allowedHosts: [...controlSettings.allowedHosts, controlSettings.host],
    lifecycle: () => ({ phase, startedAt }),
    version,
    metrics: (accept) => metrics.render(accept),
    upstreams,
    pageDirectory,
    ...(options.sections === undefined ? {} : { sections: options.sections }),
    ...(options.routes === undefined ? {} : { routes: options.routes }),
  })
  let forgetRun = async (): Promise<void> => {}
  const release = async (): Promise<void> => {
    await forgetRun()
    control.dispose()
    await Promise.all([...routes.values()].map((route) => route.close()))
    log.end()
    system.dispose()
  }
  try {
    await listen(control.server, controlSettings.host, controlSettings.port, 'server.control.port')
    await listen(gateway.server, gatewaySettings.host, gatewaySettings.port, 'server.gateway.port')
    const run = { pid: process.pid, gatewayUrl: urlOf(gateway.server), controlUrl: urlOf(control.server), version, startedAt }
    forgetRun = await writeRunFile(config.server.dataDir, run)
  } catch (error) {
    await Promise.all([closeGracefully(control.server, 0), closeGracefully(gateway.server, 0)])
    await release()
    throw error
  }
  const checking = keepChecking(system, config)
  phase = 'serving'
  log.sink.info({ gateway: urlOf(gateway.server), control: urlOf(control.server), version }, 'serving')
  let closing: Promise<void> | undefined
  return {
    system,
    gatewayUrl: urlOf(gateway.server),
    controlUrl: urlOf(control.server),
    upstreams,
    close: () => {
      if (phase !== 'draining') log.sink.info({ inFlight: gateway.inFlight }, 'stopping: requests under way finish first')
      phase = 'draining'
      closing ??= (async () => {
        clearInterval(checking)
        await gateway.close(gatewaySettings.shutdownGrace)
        control.dispose()
        await closeGracefully(control.server, 1_000)
        await release()
      })()
      return closing
    },
  }
}

function newRoute(
  system: FaultTolerantSystem,
  factory: PolicyFactory,
  upstream: UpstreamSettings,
  quota: RateLimiter | undefined,
  maxBodyBytes: number,
  metrics: ServerMetrics,
): Route {
  const policies = factory.pipeline(upstream, quota, metrics.observers(upstream.name))
  return new Route({
    name: upstream.name,
    url: new URL(upstream.url),
    headers: new Map(Object.entries(upstream.headers)),
    policy: pipeline({ name: upstream.name, clock: system.clock }, ...policies) as Pipeline, // its fallback answers an Answer too
    quota,
    maxPauseMs: upstream.quota.maxPause,
    countsAsFailure: statusMatcher(upstream.failureStatuses, [429]),
    worthRetrying: statusMatcher(upstream.retryStatuses),
    repeatable: new Set(upstream.retryMethods),
    bodyIdleTimeoutMs: upstream.bodyIdleTimeout,
    connectTimeoutMs: 10_000,
    connections: upstream.connections,
    maxBodyBytes,
    maxHeldBytes: Math.min(maxHeldBytes, maxBodyBytes),
    clock: system.clock,
  })
}

/** Keeps the health of dependencies known while nobody asks for it. */
function keepChecking(system: FaultTolerantSystem, config: ReliabilityConfig): NodeJS.Timeout | undefined {
  const intervals = Object.values(config.upstreams).flatMap(({ health }) => (health === undefined ? [] : [health.interval]))
  if (intervals.length === 0) return undefined
  void system.checkHealth()
  return setInterval(() => void system.checkHealth(), Math.min(...intervals)).unref()
}

function addressMatcher(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d)/, '')
    return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
