import type { Hono } from 'hono'
import { faultTolerantSystem, type FaultTolerantSystem } from 'holdfast/system'
import {
  exposureProblem,
  loadConfig,
  loadConfigAside,
  longestAtOnce,
  policySettingViews,
  settingViews,
  type LoadedConfig,
  type ReliabilityConfig,
  type ServerSettings,
} from '../config/index.ts'
import { createControl, type Control, type ControlEnvironment, type Lifecycle, type Token } from '../control/index.ts'
import { closeGracefully, createGateway, type RequestRecord } from '../gateway/index.ts'
import type { ConfigView, Marker, Totals } from '../wire.ts'
import { pageDirectory, version } from '../package-files.ts'
import { addressMatcher } from './address-matcher.ts'
import type { CertificateTrouble } from './certificate-files.ts'
import type { ConfigOrigin } from './config-origin.ts'
import { ConfigReloader } from './config-reloader.ts'
import { ConfigWatcher } from './config-watcher.ts'
import { liveGatewayOptions } from './gateway-settings.ts'
import { HealthRounds } from './health-rounds.ts'
import { ListenError } from './listen.ts'
import { listenerOf } from './listener.ts'
import { ReloadReport } from './reload-report.ts'
import { serverHistory } from './server-history.ts'
import { ServerMetrics } from './server-metrics.ts'
import { requestOutlets } from './request-outlets.ts'
import { prepareDataDirectory, writeRunFile } from './run-file.ts'
import { startLogging, type LogOutput } from './logging.ts'
import { UpstreamSet } from './upstream-set.ts'

export interface StartServerOptions {
  /** Where log lines go. @defaultValue standard output */
  readonly log?: LogOutput
  /** Further routes under `/api/v1` of the control listener. */
  readonly routes?: Hono<ControlEnvironment>
  /** Further sections of the live state that the page shows. */
  readonly sections?: () => Readonly<Record<string, unknown>>
  /** Where the configuration came from: then it is loaded anew when its files change, and when it is asked for. */
  readonly origin?: ConfigOrigin
}

export interface RunningServer {
  readonly system: FaultTolerantSystem
  /** Such as `http://127.0.0.1:8080`. */
  readonly gatewayUrl: string
  readonly controlUrl: string
  /** What went through the gateway, by upstream, since the start. */
  upstreams(): readonly UpstreamFigures[]
  /** Puts something that concerns all on the time axis. */
  marker(kind: Marker['kind'], text: string): void
  /** The configuration in force, and what came of the last reload. */
  config(): ConfigView
  /**
   * Loads the configuration anew. One that has errors changes nothing; the answer tells them.
   * @throws NotReloadable when no `origin` was given.
   */
  reload(trigger: 'signal' | 'api'): Promise<ConfigView>
  /** Not ready at once; requests under way finish within the grace period of the configuration; then everything is closed. */
  close(): Promise<void>
}

/** What went through the gateway to one upstream, since the start. */
export interface UpstreamFigures extends Totals {
  readonly name: string
  /** Requests the gateway answered by itself or cut short, by cause. */
  readonly causes: Readonly<Record<string, number>>
}

/**
 * Starts gateway and control listener of a configuration.
 * @throws ListenError, DataDirectoryError, DatabaseError or TracingUnavailableError, one line that says what to do; nothing is left running then.
 */
export async function startServer(config: ReliabilityConfig, options: StartServerOptions = {}): Promise<RunningServer> {
  const exposure = exposureProblem(config.server.control, config.server.tokens.length > 0)
  if (exposure !== undefined) throw new ListenError('ERR_NO_TOKENS', exposure, undefined)
  await prepareDataDirectory(config.server.dataDir)
  const system = faultTolerantSystem()
  const { clock } = system
  const metrics = new ServerMetrics(system)
  const log = startLogging(system, config.server.log.level, options.log)
  const outlets = await requestOutlets({ settings: config.server, clock, log: log.sink, registry: metrics.registry })
  let control: Control | undefined = undefined as Control | undefined
  const history = serverHistory({
    system,
    settings: config.server,
    metrics,
    log: log.sink,
    isForced: (policy) => (control?.forced(policy) ?? null) !== null,
  })
  const upstreamSet = new UpstreamSet({ system, metrics, history })
  upstreamSet.apply(config)
  const { gateway: gatewaySettings, control: controlSettings } = config.server
  const gateway = createGateway({
    ...liveGatewayOptions(config.server),
    routes: upstreamSet.routes,
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    onRequest: (record: RequestRecord) => {
      metrics.request(record)
      outlets.accessLog?.add(record)
      if (record.upstream !== undefined) history.recorder(record.upstream)?.request(record)
    },
    onTurnedAway: (cause) => metrics.turnedAway(cause),
    tracing: outlets.tracing,
  })
  metrics.inFlight(() => gateway.inFlight)
  metrics.openRequests(() => upstreamSet.openRequests())
  const upstreams = (): readonly UpstreamFigures[] =>
    history.names().flatMap((name) => {
      const recorder = history.recorder(name)
      return recorder === undefined ? [] : [{ name, ...recorder.totals, causes: recorder.causes }]
    })
  const onCertificate = (message: string, trouble: CertificateTrouble | undefined): void =>
    trouble === undefined ? log.sink.info({}, message) : log.sink.error({ ...trouble }, message)
  const { host, port, tls } = gatewaySettings
  const gatewayListener = listenerOf(gateway.server, {
    host,
    port,
    setting: 'server.gateway.port',
    tls,
    maxConnections: gatewaySettings.maxConnections,
    onCertificate,
  })
  let phase: Lifecycle['phase'] = 'starting'
  const startedAt = clock.wallNow()
  const rounds = new HealthRounds(system)
  const report = new ReloadReport({ system, history, registry: metrics.registry, log: log.sink })
  const watcher = new ConfigWatcher({
    onChange: () => void reloader.reload('watch'),
    onTrouble: (reason) => log.sink.warn({ reason }, 'changes of the configuration are not told by the system: its files are looked at'),
  })
  const reloader = new ConfigReloader({
    config,
    origin: options.origin,
    clock,
    load: async (origin, size) => (size > longestAtOnce ? await loadConfigAside(origin.path, origin) : loadConfig(origin.path, origin)),
    apply: (next) => {
      upstreamSet.apply(next)
      gateway.reconfigure(liveGatewayOptions(next.server))
      control?.reconfigure(next.server.control, tokensOf(next.server))
      control?.policiesChanged()
      log.sink.setLevel(next.server.log.level)
      rounds.follow(next)
    },
    onReload: (reload, view) => {
      report.tell(reload, view)
      if (reload.trigger !== 'api' && reload.changes.length > 0) recordReload(reload, view)
    },
    onFiles: (stamps) => followFiles(stamps),
  })
  const followFiles = (stamps: LoadedConfig['stamps']): void => {
    const { watch, debounce } = reloader.config.server.reload
    if (watch && phase !== 'draining') void watcher.follow(stamps, debounce)
    else watcher.close()
  }
  // a change that did not come through the API is on record as well; by now it is in force
  const recordReload = ({ trigger, changes }: ConfigView['lastReload'], { generation }: ConfigView): void => {
    try {
      const after = { generation, changes }
      control?.record({ who: 'holdfast', address: '', action: 'config.reloaded', subject: 'configuration', after, reason: trigger })
    } catch (error) {
      log.sink.error({ error }, 'an audit record could not be written')
    }
  }
  report.show(reloader)
  let forgetRun = async (): Promise<void> => {}
  const release = async (): Promise<void> => {
    await forgetRun()
    control?.dispose()
    history.dispose()
    await upstreamSet.close()
    await outlets.close()
    log.end()
    system.dispose()
  }
  control = await createControl({
    system,
    tokens: tokensOf(config.server),
    settings: controlSettings,
    dataDir: config.server.dataDir,
    auditMaxAgeMs: config.server.audit.maxAge,
    isTrustedProxy: addressMatcher(controlSettings.trustedProxies),
    registry: metrics.registry,
    // the beginning of the hash is enough to compare with, and no secret to the log
    onAudit: ({ id, hash, who, address, action, subject }) =>
      log.sink.info({ id, hash: hash.slice(0, 16), who, address, action, subject }, 'audit'),
    onTrouble: (message, error) => log.sink.error({ error }, message),
    lifecycle: () => ({ phase, startedAt }),
    version,
    metrics: (accept) => metrics.render(accept),
    history,
    gatewayUrl: () => gatewayListener.url,
    inFlight: () => gateway.inFlight,
    urlOf: (name) => reloader.config.upstreams[name]?.url ?? '',
    config: () => reloader.view,
    settingsInForce: () => settingViews(reloader.current),
    settingsOf: (policy) => policySettingViews(reloader.current, policy),
    ...(reloader.canReload ? { reload: () => reloader.reload('api') } : {}),
    onFeedError: (error) => log.sink.error({ error }, 'the live feed could not read the state'),
    pageDirectory,
    ...(options.sections === undefined ? {} : { sections: options.sections }),
    ...(options.routes === undefined ? {} : { routes: options.routes }),
  }).catch(async (error: unknown) => {
    await release()
    throw error
  })
  const controlListener = listenerOf(control.server, {
    host: controlSettings.host,
    port: controlSettings.port,
    setting: 'server.control.port',
    tls: controlSettings.tls,
    maxConnections: control.server.maxConnections,
    onCertificate,
  })
  try {
    await gatewayListener.open()
    await controlListener.open()
    history.open() // only now: another server with this folder would have the ports
    const run = { pid: process.pid, gatewayUrl: gatewayListener.url, controlUrl: controlListener.url, version, startedAt }
    forgetRun = await writeRunFile(config.server.dataDir, run)
  } catch (error) {
    gatewayListener.close()
    controlListener.close()
    await Promise.all([closeGracefully(control.server, 0), closeGracefully(gateway.server, 0)])
    await release()
    throw error
  }
  rounds.follow(config)
  phase = 'serving'
  if (options.origin !== undefined) followFiles(options.origin.loaded.stamps)
  log.sink.info({ gateway: gatewayListener.url, control: controlListener.url, version }, 'serving')
  let closing: Promise<void> | undefined
  return {
    system,
    gatewayUrl: gatewayListener.url,
    controlUrl: controlListener.url,
    upstreams,
    marker: (kind, text) => void history.addMarker(kind, text),
    config: () => reloader.view,
    reload: (trigger) => reloader.reload(trigger),
    close: () => {
      if (phase !== 'draining') log.sink.info({ inFlight: gateway.inFlight }, 'stopping: requests under way finish first')
      phase = 'draining'
      closing ??= (async () => {
        rounds.stop()
        watcher.close()
        reloader.close()
        gatewayListener.close()
        await gateway.close(reloader.config.server.gateway.shutdownGrace)
        controlListener.close()
        control.dispose()
        await closeGracefully(control.server, 1_000)
        await release()
      })()
      return closing
    },
  }
}

function tokensOf({ tokens }: ServerSettings): readonly Token[] {
  return tokens.map(({ name, role, sha256 }) => ({ name, role, sha256: Buffer.from(sha256, 'hex') }))
}
