import { pipeline, type Pipeline } from 'holdfast'
import type { FaultTolerantSystem } from 'holdfast/system'
import { statusMatcher, type ReliabilityConfig, type UpstreamSettings } from '../config/index.ts'
import { Route, UpstreamConnections, type RouteSettings } from '../gateway/index.ts'
import type { History } from '../history/index.ts'
import { isSame } from './is-same.ts'
import { PolicySet } from './policy-set.ts'
import type { ServerMetrics } from './server-metrics.ts'
import { checkUpstream } from './upstream-health.ts'
import { pipelineLayers, policyIds, usePolicies, type UpstreamPolicies } from './upstream-pipeline.ts'
import { upstreamTls } from './upstream-tls.ts'

/** How long a body may be to be held for another attempt, in bytes. */
const maxHeldBytes = 1024 * 1024

interface Entry {
  readonly settings: UpstreamSettings
  readonly policies: UpstreamPolicies
  readonly route: Route
  readonly endChecks: () => void
}

export interface UpstreamSetOptions {
  readonly system: FaultTolerantSystem
  readonly metrics: ServerMetrics
  readonly history: History
}

/** The upstreams of the configuration in force, with their policies, connections, checks and figures. */
export class UpstreamSet {
  /** The gateway looks upstreams up here. */
  readonly routes = new Map<string, Route>()
  private readonly options: UpstreamSetOptions
  private readonly policies: PolicySet
  private readonly entries = new Map<string, Entry>()
  /** Connections of upstreams that are gone or have moved, by the name they had: their last requests are still under way. */
  private readonly draining = new Map<UpstreamConnections, string>()

  constructor(options: UpstreamSetOptions) {
    this.options = options
    this.policies = new PolicySet(options.system)
  }

  /**
   * Puts the upstreams of a configuration into force, in one step: the next request goes by it. What keeps its name keeps what it
   * knows; requests under way end by the pipelines they began with.
   */
  apply(config: ReliabilityConfig): void {
    const { maxBodyBytes } = config.server.gateway
    for (const upstream of Object.values(config.upstreams)) this.put(upstream, maxBodyBytes)
    for (const name of this.entries.keys()) if (config.upstreams[name] === undefined) this.remove(name)
    this.policies.removeUnused()
  }

  /** Requests sent to upstreams whose answers have not ended, by upstream. */
  openRequests(): ReadonlyMap<string, number> {
    const open = new Map<string, number>()
    for (const [name, { connections }] of this.routes) open.set(name, connections.openRequests)
    for (const [{ openRequests }, name] of this.draining) if (open.has(name)) open.set(name, (open.get(name) ?? 0) + openRequests)
    return open
  }

  /** Closes all connections, whatever they carry. */
  async close(): Promise<void> {
    for (const { endChecks } of this.entries.values()) endChecks()
    const all = [...[...this.routes.values()].map(({ connections }) => connections), ...this.draining.keys()]
    await Promise.all(all.map((connections) => connections.destroy()))
  }

  private put(settings: UpstreamSettings, maxBodyBytes: number): void {
    const { history } = this.options
    const { name } = settings
    const known = this.entries.get(name)
    const policies = usePolicies(this.policies, settings)
    const route = this.routeFor(settings, policies, maxBodyBytes, known)
    const endChecks = known !== undefined && isSameCheck(known.settings, settings) ? known.endChecks : this.startChecks(settings, known)
    this.entries.set(name, { settings, policies, route, endChecks })
    this.routes.set(name, route)
    if (known !== undefined && known.route === route) return
    history.add({ name, policies: policyIds(policies), isFailure: route.settings.countsAsFailure })
    if (known !== undefined && known.route.connections !== route.connections) this.drain(name, known.route.connections)
  }

  private startChecks(settings: UpstreamSettings, known: Entry | undefined): () => void {
    known?.endChecks()
    return checkUpstream(this.options.system, settings)
  }

  private routeFor(settings: UpstreamSettings, policies: UpstreamPolicies, maxBodyBytes: number, known: Entry | undefined): Route {
    const { system, metrics, history } = this.options
    const isSamePipeline = known !== undefined && hasSamePolicies(known.policies, policies)
    if (isSamePipeline && known.route.settings.maxBodyBytes === maxBodyBytes && isSameRoute(known.settings, settings)) return known.route
    const { gates } = history.prepare(settings.name)
    const observers = { ...metrics.observers(settings.name), door: gates.door, running: gates.attempt }
    const made = isSamePipeline
      ? known.route.settings.policy
      : (pipeline({ name: settings.name, clock: system.clock }, ...pipelineLayers(policies, observers, system)) as Pipeline) // its fallback answers an Answer too
    const routeSettings = routeSettingsOf(settings, { policy: made, quota: policies.quota, clock: system.clock, maxBodyBytes })
    const keepsConnections = known !== undefined && hasSameConnections(known.settings, settings)
    return new Route(routeSettings, keepsConnections ? known.route.connections : new UpstreamConnections(routeSettings))
  }

  private remove(name: string): void {
    const entry = this.entries.get(name)
    if (entry === undefined) return
    this.entries.delete(name)
    this.routes.delete(name)
    entry.endChecks()
    this.options.history.remove(name)
    this.options.metrics.forget(name)
    this.drain(name, entry.route.connections)
  }

  private drain(name: string, connections: UpstreamConnections): void {
    this.draining.set(connections, name)
    const drained = (): void => void this.draining.delete(connections)
    connections.drain().then(drained, drained)
  }
}

function routeSettingsOf(
  upstream: UpstreamSettings,
  rest: Pick<RouteSettings, 'policy' | 'quota' | 'clock' | 'maxBodyBytes'>,
): RouteSettings {
  return {
    ...rest,
    name: upstream.name,
    url: new URL(upstream.url),
    headers: new Map(Object.entries(upstream.headers)),
    maxPauseMs: upstream.quota.maxPause,
    countsAsFailure: statusMatcher(upstream.failureStatuses, [429]),
    worthRetrying: statusMatcher(upstream.retryStatuses),
    repeatable: new Set(upstream.retryMethods),
    bodyIdleTimeoutMs: upstream.bodyIdleTimeout,
    connectTimeoutMs: upstream.connectTimeout,
    http2: upstream.http2,
    ...(upstream.tls === undefined ? {} : { tls: upstreamTls(upstream.tls) }),
    upgrades: new Set(upstream.upgrades.map((protocol) => protocol.toLowerCase())),
    tunnelIdleTimeoutMs: upstream.tunnelIdleTimeout,
    forwarding: upstream.forwarded,
    deadlineHeader: upstream.deadlineHeader?.toLowerCase(),
    priority: upstream.priority,
    connections: upstream.connections,
    maxHeldBytes: Math.min(maxHeldBytes, rest.maxBodyBytes),
  }
}

function hasSamePolicies(a: UpstreamPolicies, b: UpstreamPolicies): boolean {
  if (a.quota !== b.quota || a.steps.length !== b.steps.length) return false
  return a.steps.every(({ policy, step }, index) => policy === b.steps[index]?.policy && step === b.steps[index]?.step)
}

/** All but what the policies and the checks are made of. */
function isSameRoute(a: UpstreamSettings, b: UpstreamSettings): boolean {
  const { pipeline: _a, health: _b, ...first } = a
  const { pipeline: _c, health: _d, ...second } = b
  return isSame(first, second)
}

function hasSameConnections(a: UpstreamSettings, b: UpstreamSettings): boolean {
  const sameTarget = new URL(a.url).origin === new URL(b.url).origin
  const keys = ['connections', 'bodyIdleTimeout', 'connectTimeout', 'http2', 'tls'] as const
  return sameTarget && keys.every((key) => isSame(a[key], b[key]))
}

function isSameCheck(a: UpstreamSettings, b: UpstreamSettings): boolean {
  const keys = ['health', 'url', 'headers', 'tls'] as const
  return keys.every((key) => isSame(a[key], b[key]))
}
