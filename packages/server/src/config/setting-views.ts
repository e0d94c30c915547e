import type { SettingView } from '../wire.ts'
import type { ReliabilityConfig } from './config.ts'
import type { LoadedConfig } from './load-config.ts'
import { pathText, type SettingPath } from './path-text.ts'
import { sectionOfStep, type PipelineStep } from './schema-pipeline.ts'
import { shownSetting } from './setting-text.ts'
import { writtenSettings, type WrittenSetting } from './written-config.ts'

/** What is known of a configuration in force. */
export interface ConfigInForce {
  readonly config: ReliabilityConfig
  /** Undefined when the program that started the server gave the configuration itself. */
  readonly provenance: LoadedConfig['provenance'] | undefined
}

/** All settings in force, with where each comes from. */
export function settingViews({ config, provenance }: ConfigInForce): readonly (SettingView & { readonly path: string })[] {
  return writtenSettings(config).map((setting) => {
    const path = pathText(setting.path)
    return { path, ...view(setting, path, provenance) }
  })
}

/** The settings of one policy, by its id (`kind/name`); empty when the configuration says nothing of it. */
export function policySettingViews({ config, provenance }: ConfigInForce, policyId: string): readonly SettingView[] {
  const home = homeOfPolicy(config, policyId)
  if (home === undefined) return []
  return writtenSettings(config).flatMap((setting) => {
    if (!home.every((segment, index) => setting.path[index] === segment)) return []
    const name = setting.path.length === home.length ? 'after' : pathText(setting.path.slice(home.length))
    return [view(setting, name, provenance)]
  })
}

function view(setting: WrittenSetting, name: string, provenance: ConfigInForce['provenance']): SettingView {
  const value = shownSetting(setting)
  if (provenance === undefined) return { name, value, source: 'runtime', where: 'the program that started the server' }
  const origin = provenance(setting.path)
  if (origin.from === 'default') return { name, value, source: 'default', where: null }
  if (origin.from === 'env') return { name, value, source: 'environment', where: origin.variable }
  return { name, value, source: 'file', where: `${origin.file}:${origin.line}:${origin.column}` }
}

const stepsOfKind: Readonly<Record<string, readonly PipelineStep[]>> = {
  fallback: ['fallback'],
  timeout: ['totalTimeout', 'attemptTimeout'],
  retry: ['retry'],
  'circuit-breaker': ['circuitBreaker'],
  'rate-limiter': ['rateLimiter'],
  bulkhead: ['bulkhead'],
  'load-shedder': ['loadShedder'],
  hedge: ['hedge'],
  throttler: ['throttler'],
  'adaptive-concurrency': ['adaptiveConcurrency'],
}

/** Where the settings of a policy are written: as a definition, or in an upstream of its own. */
function homeOfPolicy(config: ReliabilityConfig, policyId: string): SettingPath | undefined {
  const slash = policyId.indexOf('/')
  const [kind, name] = [policyId.slice(0, slash), policyId.slice(slash + 1)]
  const steps = (Object.hasOwn(stepsOfKind, kind) ? stepsOfKind[kind] : undefined) ?? []
  for (const step of steps) {
    const section = sectionOfStep[step]
    if (config[section][name] !== undefined) return [section, name]
    for (const upstream of Object.values(config.upstreams)) {
      if (upstream.pipeline[step]?.name === name) return ['upstreams', upstream.name, 'pipeline', step]
    }
  }
  const upstream = kind === 'rate-limiter' && name.endsWith('-quota') ? config.upstreams[name.slice(0, -'-quota'.length)] : undefined
  return upstream === undefined || upstream.quota.scope === 'none' ? undefined : ['upstreams', upstream.name, 'quota']
}
