import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadConfig, type FailedConfig, type LoadedConfig } from './load-config.ts'
import { formatProblem } from './problems.ts'

export interface Workspace {
  /** Absolute; the working directory of {@link Workspace.load}. */
  readonly directory: string
  write(file: string, content: string | Uint8Array): void
  /** Loads `config/reliability.yml`. */
  load(env?: Readonly<Record<string, string>>): LoadedConfig | FailedConfig
  remove(): void
}

/** A directory of its own with some files: `{ 'config/reliability.yml': … }`. */
export function workspace(files: Readonly<Record<string, string | Uint8Array>> = {}): Workspace {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-config-'))
  const made: Workspace = {
    directory,
    write(file, content) {
      const path = join(directory, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    },
    load: (env = {}) => loadConfig('config/reliability.yml', { env, cwd: directory }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
  for (const [file, content] of Object.entries(files)) made.write(file, content)
  return made
}

/** Loads a single text as `config/reliability.yml`; further files beside it. */
export function loadText(
  text: string | Uint8Array,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): LoadedConfig | FailedConfig {
  const space = workspace({ 'config/reliability.yml': text, ...files })
  try {
    return space.load(env)
  } finally {
    space.remove()
  }
}

/** What is wrong with a text, as people see it, without the file's name. */
export function errorsOf(result: LoadedConfig | FailedConfig): readonly string[] {
  return result.ok ? [] : result.errors.map(shown)
}

export function warningsOf(result: LoadedConfig | FailedConfig): readonly string[] {
  return result.warnings.map(shown)
}

function shown(problem: Parameters<typeof formatProblem>[0]): string {
  return formatProblem(problem).replace(/^config\/reliability\.yml:/, '')
}

/** The configuration of a text that must be right. */
export function loaded(result: LoadedConfig | FailedConfig): LoadedConfig {
  if (result.ok) return result
  throw new Error(`not a valid configuration:\n${errorsOf(result).join('\n')}`)
}
