import { resolve as absolutePath } from 'node:path'
import type { ByName, ReliabilityConfig, UpstreamPipeline, UpstreamSettings, UpstreamTlsSettings } from './config.ts'
import { resolveListenerTls } from './listener-tls.ts'
import type { SettingPath } from './path-text.ts'
import type { Report } from './report.ts'
import type { ConfigSource } from './schema.ts'
import type { FallbackSettings, FallbackSource } from './schema-fallback.ts'
import { pipelineSteps, sectionOfStep, type PipelineStep } from './schema-pipeline.ts'
import type { ListenerTlsSettings } from './schema-listener-tls.ts'
import type { AccessLogSource } from './schema-server.ts'
import type { TlsSource, UpstreamSource } from './schema-upstream.ts'
import { resolveTokens } from './tokens.ts'

export interface ResolveOptions {
  readonly cwd: string
  /** The text of the file that the setting at a path names; undefined when it cannot be read, which is reported. */
  readonly readFile: (file: string, path: SettingPath) => string | undefined
  /** The absolute path of the file that the setting at a path names. */
  readonly pathOf: (file: string, path: SettingPath) => string
  /** Epoch ms. */
  readonly wallNow: () => number
  /** Whether the setting at a path was written as `${…}`, which may leave it blank. */
  readonly mayBeBlank: (path: SettingPath) => boolean
  readonly report: Report
}

/** Puts definitions in the place of the names that refer to them. */
export function resolveConfig(source: ConfigSource, options: ResolveOptions): ReliabilityConfig {
  const sections: Sections = {
    circuitBreakers: named(source.circuitBreakers),
    retryPolicies: named(source.retryPolicies),
    timeouts: mapNames(source.timeouts, (after, name) => ({ name, after })),
    bulkheads: named(source.bulkheads),
    rateLimiters: named(source.rateLimiters),
    loadShedders: named(source.loadShedders),
    hedges: named(source.hedges),
    throttlers: named(source.throttlers),
    adaptiveLimits: named(source.adaptiveLimits),
    fallbacks: mapNames(source.fallbacks, (fallback, name) => resolveFallback(name, fallback, ['fallbacks', name], options)),
    healthChecks: named(source.healthChecks),
  }
  const { server } = source
  return {
    server: {
      ...server,
      gateway: withTls(server.gateway, ['server', 'gateway', 'tls'], options),
      control: withTls(server.control, ['server', 'control', 'tls'], options),
      tokens: resolveTokens(server.tokens, options),
      dataDir: absolutePath(options.cwd, server.dataDir),
      ...(server.accessLog === undefined ? {} : { accessLog: resolveAccessLog(server.accessLog, options.cwd) }),
    },
    ...sections,
    upstreams: mapNames(source.upstreams, (upstream, name) => new UpstreamResolver(name, sections, options).resolve(upstream)),
  }
}

function withTls<T extends { readonly tls?: ListenerTlsSettings }>(listener: T, path: SettingPath, options: ResolveOptions): T {
  return listener.tls === undefined ? listener : { ...listener, tls: resolveListenerTls(listener.tls, path, options) }
}

function resolveAccessLog({ path, format }: AccessLogSource, cwd: string): AccessLogSource {
  return { path: path === 'stdout' || path === 'stderr' ? path : absolutePath(cwd, path), format }
}

function resolveTls({ caFile, certFile, keyFile, serverName }: TlsSource, path: SettingPath, options: ResolveOptions): UpstreamTlsSettings {
  const read = (key: string, file: string | undefined): string | undefined => {
    if (file === undefined) return undefined
    const pem = options.readFile(file, [...path, key])
    if (pem !== undefined && !pem.includes('-----BEGIN ')) options.report('problem', [...path, key], 'must name a PEM file (-----BEGIN …)')
    return pem
  }
  const [ca, cert, privateKey] = [read('caFile', caFile), read('certFile', certFile), read('keyFile', keyFile)]
  return Object.fromEntries(Object.entries({ ca, cert, privateKey, serverName }).filter(([, value]) => value !== undefined))
}

type Sections = Omit<ReliabilityConfig, 'server' | 'upstreams'>

function named<T>(definitions: Readonly<Record<string, T>>): ByName<T & { readonly name: string }> {
  return mapNames(definitions, (settings, name) => ({ name, ...settings }))
}

function mapNames<T, R>(record: Readonly<Record<string, T>>, change: (value: T, name: string) => R): ByName<R> {
  const byName = Object.create(null) as Record<string, R>
  for (const [name, value] of Object.entries(record)) byName[name] = change(value, name)
  return byName
}

function resolveFallback(name: string, source: FallbackSource, path: SettingPath, { readFile }: ResolveOptions): FallbackSettings {
  const { status, headers, body = '', bodyFile, json } = source
  const settings = (text: string, type: string): FallbackSettings => ({
    name,
    status,
    headers: text === '' ? headers : { 'content-type': type, ...headers },
    body: text,
  })
  if (json !== undefined) return settings(JSON.stringify(json), 'application/json')
  if (bodyFile !== undefined) return settings(readFile(bodyFile, [...path, 'bodyFile']) ?? '', contentTypeOf(bodyFile))
  return settings(body, 'text/plain; charset=utf-8')
}

function contentTypeOf(file: string): string {
  if (/\.json$/i.test(file)) return 'application/json'
  return /\.html?$/i.test(file) ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8'
}

/** Resolves one upstream. Settings of its own take its name, which must then be free in their section. */
class UpstreamResolver {
  private readonly name: string
  private readonly sections: Sections
  private readonly options: ResolveOptions

  constructor(name: string, sections: Sections, options: ResolveOptions) {
    this.name = name
    this.sections = sections
    this.options = options
  }

  resolve({ health, pipeline, tls, ...settings }: UpstreamSource): UpstreamSettings {
    const check = typeof health === 'string' ? this.sections.healthChecks[health] : health && this.own('healthChecks', ['health'], health)
    const steps: { [Step in PipelineStep]?: unknown } = {}
    for (const step of pipelineSteps) {
      const given = pipeline[step]
      if (given !== undefined) steps[step] = this.step(step, given)
    }
    const order = (pipeline.order ?? pipelineSteps).filter((step) => steps[step] !== undefined)
    return {
      name: this.name,
      ...settings,
      pipeline: { order, ...(steps as Omit<UpstreamPipeline, 'order'>) },
      ...(check === undefined ? {} : { health: check }),
      ...(tls === undefined ? {} : { tls: resolveTls(tls, ['upstreams', this.name, 'tls'], this.options) }),
    }
  }

  private step(step: PipelineStep, given: string | number | object): unknown {
    const section = sectionOfStep[step]
    if (typeof given === 'string') return this.sections[section][given]
    const path = ['pipeline', step]
    if (typeof given === 'number') return this.own(section, path, { after: given }, `${this.name}.${step}`)
    if (step !== 'fallback') return this.own(section, path, given)
    const fullPath = ['upstreams', this.name, ...path]
    return this.own(section, path, resolveFallback(this.name, given as FallbackSource, fullPath, this.options))
  }

  private own<T>(section: keyof Sections, path: SettingPath, settings: T, name = this.name): T & { readonly name: string } {
    if (this.sections[section][name] !== undefined) {
      const message = `is named '${name}' after its upstream, as a definition in '${section}' is: refer to that one, or give it another name`
      this.options.report('problem', ['upstreams', this.name, ...path], message)
    }
    return { name, ...settings }
  }
}
