import type { Clock, LogSink, MetricsRegistry } from 'holdfast'
import type { ServerSettings } from '../config/index.ts'
import { accessLog, openTelemetryTracing, type AccessLog, type OpenTelemetryTracing } from '../gateway/index.ts'
import { version } from '../package-files.ts'

export interface RequestOutletsOptions {
  readonly settings: ServerSettings
  readonly clock: Clock
  readonly log: LogSink
  readonly registry: MetricsRegistry
}

/** Where requests are told of besides the metrics, as far as the configuration asks for it. */
export interface RequestOutlets {
  readonly accessLog: AccessLog | undefined
  readonly tracing: OpenTelemetryTracing | undefined
  close(): Promise<void>
}

/** @throws TracingUnavailableError */
export async function requestOutlets({ settings, clock, log, registry }: RequestOutletsOptions): Promise<RequestOutlets> {
  const tracing = settings.tracing === undefined ? undefined : await openTelemetryTracing({ ...settings.tracing, serviceVersion: version })
  const lines =
    settings.accessLog === undefined
      ? undefined
      : accessLog({
          ...settings.accessLog,
          wallNow: () => clock.wallNow(),
          onTrouble: (error) =>
            error === undefined
              ? log.info({}, 'the access log can be written again')
              : log.error({ error }, 'the access log cannot be written'),
        })
  if (lines !== undefined) {
    registry.observeCounter(
      { name: 'holdfast_access_log_dropped_total', help: 'Lines of the access log that could not be written in time.' },
      (report) => report(lines.dropped),
    )
  }
  return {
    accessLog: lines,
    tracing,
    close: async () => {
      await Promise.all([lines?.close(), tracing?.close()])
    },
  }
}
