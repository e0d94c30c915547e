import type { ReliabilityConfig, ServerSettings } from '../config/index.ts'
import { withSecretsOf } from '../config/index.ts'

/** Settings that only a restart brings into force, by path: sockets, files and exporters that are opened once. */
const restartPaths: readonly string[] = [
  'server.gateway.host',
  'server.gateway.port',
  'server.gateway.tls',
  'server.control.host',
  'server.control.port',
  'server.control.tls',
  'server.control.trustedProxies',
  'server.control.maxBodyBytes',
  'server.control.sessions',
  'server.control.failedLogins',
  'server.dataDir',
  'server.audit',
  'server.history',
  'server.accessLog',
  'server.tracing',
]

/** Whether the setting at a path needs a restart. */
export function needsRestart(path: string): boolean {
  return restartPaths.some((each) => path === each || path.startsWith(`${each}.`) || path.startsWith(`${each}[`))
}

/** A configuration as it can be put into force: what needs a restart is as the server was started with. */
export function withRunningSettings(config: ReliabilityConfig, running: ServerSettings): ReliabilityConfig {
  const { accessLog: _accessLog, tracing: _tracing, ...server } = config.server
  const gateway = withOptional(withSecretsOf(config.server.gateway, { ...config.server.gateway }), running.gateway, ['host', 'port', 'tls'])
  const control = withOptional(withSecretsOf(config.server.control, { ...config.server.control }), running.control, [
    'host',
    'port',
    'tls',
    'trustedProxies',
    'maxBodyBytes',
    'sessions',
    'failedLogins',
  ])
  const merged = withOptional({ ...server, gateway, control }, running, ['dataDir', 'audit', 'history', 'accessLog', 'tracing'])
  return Object.freeze({ ...config, server: Object.freeze(withSecretsOf(config.server, merged)) })
}

/** `settings` with some of them as `others` have them, or do not. */
function withOptional<T extends object, K extends string>(settings: T, others: { readonly [Key in K]?: unknown }, keys: readonly K[]): T {
  const own = Object.entries(settings).filter(([key]) => !keys.includes(key as K))
  const running = keys.filter((key) => others[key] !== undefined).map((key) => [key, others[key]])
  return Object.freeze(withSecretsOf(settings, Object.fromEntries([...own, ...running]) as T))
}
