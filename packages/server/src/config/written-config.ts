import { createHash } from 'node:crypto'
import type * as z from 'zod'
import type { ReliabilityConfig, UpstreamPipeline, UpstreamSettings } from './config.ts'
import type { SettingPath } from './path-text.ts'
import { isSecretSetting, withSecretsOf } from './redact.ts'
import { pipelineSteps, sectionOfStep, type PipelineStep } from './schema-pipeline.ts'
import { configSchema } from './schema.ts'
import { schemaBelow, writtenNumber } from './setting-schema.ts'

/** One setting of a configuration, as a file would hold it. */
export interface WrittenSetting {
  readonly path: SettingPath
  /** With its unit; what a secret stands for is not here. */
  readonly value: WrittenValue
  readonly isSecret: boolean
  /** What is behind it, to compare with; never to be shown. */
  readonly actual: unknown
}

export type WrittenValue = string | number | boolean | readonly (string | number | boolean)[]

type Tree = { readonly [key: string]: unknown }

/**
 * All settings in force, in the form and at the paths at which they are written: a reference is a name, what was left out has its
 * default. Empty lists are settings too.
 */
export function writtenSettings(config: ReliabilityConfig): readonly WrittenSetting[] {
  const known = settingsOfConfig.get(config)
  if (known !== undefined) return known
  const settings: WrittenSetting[] = []
  collect(asWritten(config), [], configSchema, settings)
  settingsOfConfig.set(config, settings)
  return settings
}

const settingsOfConfig = new WeakMap<ReliabilityConfig, readonly WrittenSetting[]>()

function collect(value: unknown, path: SettingPath, schema: z.core.$ZodType | undefined, into: WrittenSetting[]): void {
  if (value instanceof Leaf) {
    const { value: written, isSecret, actual } = value
    into.push({ path, value: written, isSecret, actual })
    return
  }
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object')) into.push({ path, value, isSecret: false, actual: value })
    else for (const [index, item] of value.entries()) collect(item, [...path, index], schemaAt(schema, index), into)
    return
  }
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      const innerPath = [...path, key]
      if (typeof inner !== 'object' && isSecretSetting(value, key, innerPath))
        into.push({ path: innerPath, value: '', isSecret: true, actual: inner })
      else collect(inner, innerPath, schemaAt(schema, key), into)
    }
    return
  }
  const written = typeof value === 'number' ? writtenNumber(value, schema) : (value as WrittenValue)
  into.push({ path, value: written, isSecret: false, actual: value })
}

function schemaAt(schema: z.core.$ZodType | undefined, key: string | number): z.core.$ZodType | undefined {
  return schema === undefined ? undefined : schemaBelow(schema, key)
}

/** A setting of another form than the resolved one. */
class Leaf {
  readonly value: WrittenValue
  readonly isSecret: boolean
  readonly actual: unknown

  constructor(value: WrittenValue, actual: unknown, isSecret = false) {
    this.value = value
    this.actual = actual
    this.isSecret = isSecret
  }
}

/** The resolved configuration in the form of its source. */
function asWritten(config: ReliabilityConfig): Tree {
  const { server, timeouts, upstreams, ...sections } = config
  return {
    server: withSecretsOf(server, {
      ...server,
      tokens: server.tokens.map(({ name, role, sha256 }) => ({ name, role, value: new Leaf('', sha256, true) })),
    }),
    ...Object.fromEntries(Object.entries(sections).map(([section, definitions]) => [section, mapEntries(definitions, withoutName)])),
    timeouts: mapEntries(timeouts, ({ after }) => after),
    upstreams: mapEntries(upstreams, (upstream) => writtenUpstream(upstream, config)),
  }
}

function writtenUpstream(upstream: UpstreamSettings, config: ReliabilityConfig): Tree {
  const { name: _, pipeline, health, tls, ...rest } = upstream
  return withSecretsOf(upstream, {
    ...rest,
    ...(tls === undefined ? {} : { tls: writtenTls(tls) }),
    pipeline: writtenPipeline(pipeline, config),
    ...(health === undefined ? {} : { health: config.healthChecks[health.name] === health ? health.name : withoutName(health) }),
  })
}

function writtenPipeline(pipeline: UpstreamPipeline, config: ReliabilityConfig): Tree {
  const defaultOrder = pipelineSteps.filter((step) => pipeline[step] !== undefined)
  const isDefaultOrder = pipeline.order.every((step, index) => step === defaultOrder[index])
  const steps = pipeline.order.flatMap((step) => {
    const settings = pipeline[step]
    return settings === undefined ? [] : [[step, writtenStep(step, settings, config)] as const]
  })
  return { ...(isDefaultOrder ? {} : { order: pipeline.order }), ...Object.fromEntries(steps) }
}

function writtenStep(step: PipelineStep, settings: NonNullable<UpstreamPipeline[PipelineStep]>, config: ReliabilityConfig): unknown {
  if (config[sectionOfStep[step]][settings.name] === settings) return settings.name
  return 'after' in settings ? settings.after : withoutName(settings)
}

/** Certificates are known by their fingerprints; nobody wants to read them. */
function writtenTls({ ca, cert, privateKey, serverName }: NonNullable<UpstreamSettings['tls']>): Tree {
  return {
    ...(ca === undefined ? {} : { caFile: new Leaf(fingerprint(ca), ca) }),
    ...(cert === undefined ? {} : { certFile: new Leaf(fingerprint(cert), cert) }),
    ...(privateKey === undefined ? {} : { keyFile: new Leaf('', privateKey, true) }),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

function fingerprint(pem: string): string {
  return `(PEM, SHA-256 ${createHash('sha256').update(pem).digest('hex').slice(0, 16)})`
}

function withoutName(settings: object): Tree {
  const { name: _, ...rest } = settings as { readonly name?: unknown }
  return withSecretsOf(settings, rest)
}

function mapEntries<T>(record: Readonly<Record<string, T>>, change: (value: T) => unknown): Tree {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
