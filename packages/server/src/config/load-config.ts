import { createHash } from 'node:crypto'
import { dirname, resolve as absolutePath } from 'node:path'
import type { ReliabilityConfig } from './config.ts'
import { deepFreeze } from './deep-freeze.ts'
import { fileName, maxConfigBytes, readConfigFiles } from './include.ts'
import { lint } from './lints.ts'
import { checkListeners } from './listener-rules.ts'
import { mergeSections } from './merge-sections.ts'
import type { Findings } from './normalize.ts'
import { shownText, type SettingPath } from './path-text.ts'
import { checkPolicies } from './policy-rules.ts'
import { problemList, type ConfigProblem } from './problems.ts'
import { findProvenance, type Provenance } from './provenance.ts'
import { readText, type TextRead } from './read-text.ts'
import { markSecrets } from './redact.ts'
import { checkReferences } from './references.ts'
import type { Report } from './report.ts'
import { resolveConfig } from './resolve.ts'
import { configSchema } from './schema.ts'
import { reportIssues } from './schema-problems.ts'
import { showValue } from './show-value.ts'
import { locate, plainValue, type SourceMap, type SourceNode } from './source-tree.ts'
import type { SubstitutionSources } from './substitute.ts'

export interface LoadConfigOptions {
  /** What `${VAR}` refers to: `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Against which `path` and `dataDir` are resolved, and to which messages name files relatively. @defaultValue process.cwd() */
  readonly cwd?: string
}

export interface LoadedConfig {
  readonly ok: true
  readonly config: ReliabilityConfig
  /** Absolute paths of the configuration files, the root first. */
  readonly files: readonly string[]
  /** Absolute paths of the other files that were read: secrets, bodies of fallbacks. */
  readonly attachments: readonly string[]
  readonly warnings: readonly ConfigProblem[]
  /** Of all files, as they were when they were read, by absolute path; missing ones included. */
  readonly stamps: ReadonlyMap<string, string>
  /** SHA-256 over the contents of all files that were read, in hex: the same text loads as the same configuration. */
  readonly digest: string
  /** Characters in all files. */
  readonly size: number
  /** Where a setting of `config` comes from, by its path there, as text or in parts. */
  readonly provenance: (path: SettingPath | string) => Provenance
}

/** What a configuration was made of, as plain data that can go from one thread to another. */
export interface ReadConfig {
  readonly config: ReliabilityConfig | undefined
  /** The settings as they were written. */
  readonly root: SourceMap
  readonly errors: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
  readonly files: readonly string[]
  readonly attachments: readonly string[]
  readonly stamps: ReadonlyMap<string, string>
  readonly digest: string
  readonly size: number
}

export interface FailedConfig {
  readonly ok: false
  /** At least one; by file, line and column. */
  readonly errors: readonly ConfigProblem[]
  readonly warnings: readonly ConfigProblem[]
  /** As far as they are known, missing ones included: their repair is worth watching for. */
  readonly files: readonly string[]
  readonly attachments: readonly string[]
  readonly stamps: ReadonlyMap<string, string>
  readonly digest: string
  readonly size: number
}

const maxSecretBytes = 64 * 1024

/**
 * Reads `config/reliability.yml` and what it includes. Never throws for what the files hold: everything that is wrong is reported at
 * once, each with its place. Blocks while it reads; a file at the size limit takes less than a second.
 */
export function loadConfig(path: string, options: LoadConfigOptions): LoadedConfig | FailedConfig {
  return loadedConfig(readConfig(path, options))
}

/** The work of {@link loadConfig}. */
export function readConfig(path: string, options: LoadConfigOptions): ReadConfig {
  return new Loader(options).read(path)
}

/** Makes a configuration ready for use. */
export function loadedConfig({ config, root, errors, ...read }: ReadConfig): LoadedConfig | FailedConfig {
  if (config === undefined) return { ok: false, errors, ...read }
  for (const section of Object.values(config)) if (section !== config.server) Object.setPrototypeOf(section, null) // lost between threads
  markSecrets(config, root)
  return { ok: true, config: deepFreeze(config), ...read, provenance: (setting) => findProvenance(root, setting) }
}

class Loader {
  private readonly cwd: string
  private readonly env: LoadConfigOptions['env']
  private readonly findings: Findings = { problems: problemList(), warnings: problemList() }
  private readonly attachments = new Set<string>()
  private readonly digest = createHash('sha256')
  private readonly stamps = new Map<string, string>()
  private size = 0

  constructor({ env, cwd = process.cwd() }: LoadConfigOptions) {
    this.env = env
    this.cwd = cwd
  }

  read(path: string): ReadConfig {
    const { findings, cwd } = this
    const files = readConfigFiles(absolutePath(cwd, path), {
      ...findings,
      cwd,
      sourcesIn: (directory) => this.sourcesIn(directory),
      onRead: (file, read) => this.wasRead(file, read),
    })
    const start = { file: fileName(absolutePath(cwd, path), cwd), line: 1, column: 1 }
    const root = mergeSections(files.trees, start, findings.problems)
    if (files.isComplete) checkReferences(root, findings)
    const config = this.check(root)
    const warnings = findings.warnings.sorted(files.names)
    const errors = findings.problems.sorted(files.names)
    const { stamps, size } = this
    return {
      config,
      root,
      errors,
      warnings,
      files: files.paths,
      attachments: [...this.attachments],
      stamps,
      digest: this.digest.digest('hex'),
      size,
    }
  }

  private wasRead(path: string, { text, fault, stamp }: TextRead): void {
    this.stamps.set(path, stamp)
    this.size += text?.length ?? 0
    this.digest.update(JSON.stringify([path, fault ?? null, text ?? null]))
  }

  private check(root: SourceMap): ReliabilityConfig | undefined {
    const { problems } = this.findings
    const parsed = configSchema.safeParse(plainValue(root))
    if (!parsed.success) reportIssues(parsed.error.issues, root, problems)
    if (!parsed.success || problems.count > 0) return undefined
    const report = this.reporter(root)
    const config = resolveConfig(parsed.data, {
      cwd: this.cwd,
      report,
      readFile: (file, path) => this.readFile(file, path, root),
      pathOf: (file, path) => this.pathOf(file, path, root),
      wallNow: () => Date.now(),
      mayBeBlank: (path) => isSubstituted(locate(root, path).node),
    })
    checkPolicies(config, report)
    checkListeners(config, report)
    if (problems.count > 0) return undefined
    lint(config, report)
    return config
  }

  private reporter(root: SourceMap): Report {
    return (severity, path, message, suggestion) => {
      const place = locate(root, path)
      const shown = severity === 'problem' && place.node?.kind === 'scalar' ? `, got ${showValue(place.node, path)}` : ''
      const list = severity === 'problem' ? this.findings.problems : this.findings.warnings
      list.add(place.at, place.written, message + shown, suggestion)
    }
  }

  private sourcesIn(directory: string): SubstitutionSources {
    return { env: this.env, readSecret: (file) => this.readAttachment(absolutePath(directory, file), maxSecretBytes) }
  }

  private readFile(file: string, path: SettingPath, root: SourceMap): string | undefined {
    const place = locate(root, path)
    const read = this.readAttachment(this.pathOf(file, path, root), maxConfigBytes)
    if ('text' in read) return read.text
    this.findings.problems.add(place.at, place.written, `file ${shownText(file)} ${read.fault}`)
    return undefined
  }

  /** Files are named relatively to the file that names them. */
  private pathOf(file: string, path: SettingPath, root: SourceMap): string {
    return absolutePath(dirname(absolutePath(this.cwd, locate(root, path).at.file)), file)
  }

  private readAttachment(path: string, maxBytes: number): { readonly text: string } | { readonly fault: string } {
    this.attachments.add(path)
    const read = readText(path, maxBytes)
    this.wasRead(path, read)
    // editors and `echo` end a file with a line break that is no part of the secret
    return read.fault === undefined ? { text: read.text.replace(/\r?\n$/, '') } : { fault: read.fault }
  }
}

function isSubstituted(node: SourceNode | undefined): boolean {
  return node?.kind === 'scalar' && node.substituted !== undefined
}
