import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { expandGlob, isGlob } from './glob.ts'
import { normalize, type Findings } from './normalize.ts'
import { shownText, type SettingPath } from './path-text.ts'
import type { SourcePosition } from './problems.ts'
import { readText, type TextRead } from './read-text.ts'
import { configSchema } from './schema.ts'
import type { SourceNode } from './source-tree.ts'
import { substitute, type SubstitutionSources } from './substitute.ts'
import { readYamlTree } from './yaml-tree.ts'

export const maxConfigBytes: number = 1024 ** 2
const maxFiles = 100

export interface ReadFilesOptions extends Findings {
  readonly cwd: string
  /** Reads secret files relative to a directory. */
  readonly sourcesIn: (directory: string) => SubstitutionSources
  /** Told of every file that is read, or cannot be. */
  readonly onRead: (path: string, read: TextRead) => void
}

export interface ConfigFiles {
  /** One tree per file that could be read, keys normalised; the root file first, then each include in order. */
  readonly trees: readonly SourceNode[]
  /** Absolute paths, also of files that are missing or broken: their repair is what a watcher waits for. */
  readonly paths: readonly string[]
  /** The same files as messages name them. */
  readonly names: readonly string[]
  /** Whether every file was read, so that what is defined nowhere is really missing. */
  readonly isComplete: boolean
}

/** Reads a configuration file and all that it includes. */
export function readConfigFiles(rootPath: string, options: ReadFilesOptions): ConfigFiles {
  const reader = new FileReader(rootPath, options)
  reader.read(rootPath, undefined, [])
  return reader
}

/** A file as messages name it. */
export function fileName(path: string, cwd: string): string {
  const below = relative(cwd, path)
  return isInside(below) ? below.split(sep).join('/') : path
}

function isInside(relativePath: string): boolean {
  return relativePath !== '' && relativePath !== '..' && !relativePath.startsWith(`..${sep}`) && !isAbsolute(relativePath)
}

/** Where something is wrong: the `include` that names a file, or the content of the file. */
interface Place {
  readonly at: SourcePosition
  readonly path: SettingPath
}

class FileReader implements ConfigFiles {
  readonly trees: SourceNode[] = []
  readonly paths: string[] = []
  readonly names: string[] = []
  isComplete = true
  private readonly options: ReadFilesOptions
  private readonly directory: string

  constructor(rootPath: string, options: ReadFilesOptions) {
    this.options = options
    this.directory = dirname(rootPath)
  }

  /** `open` are the files whose includes are being followed. */
  read(path: string, includer: Place | undefined, open: readonly string[]): void {
    const name = fileName(path, this.options.cwd)
    this.paths.push(path)
    this.names.push(name)
    const content = readText(path, maxConfigBytes)
    this.options.onRead(path, content)
    if (content.fault !== undefined) {
      if (includer !== undefined && content.text === undefined) return this.fail(includer, `${name} ${content.fault}`)
      const before = content.text?.slice(0, content.offset) ?? ''
      const at = { file: name, line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
      return this.fail({ at, path: [] }, `the file ${content.fault}`)
    }
    const sources = this.options.sourcesIn(dirname(path))
    const tree = readYamlTree(content.text, {
      file: name,
      problems: this.options.problems,
      substitute: (text) => substitute(text, sources),
    })
    if (tree === undefined) {
      this.isComplete = false
      return
    }
    const normal = normalize(tree, configSchema, this.options)
    this.trees.push(normal)
    this.followIncludes(normal, path, [...open, path])
  }

  private followIncludes(tree: SourceNode, path: string, open: readonly string[]): void {
    const include = tree.kind === 'map' ? tree.entries.get('include')?.value : undefined
    if (include === undefined) return
    const items = include.kind === 'list' ? include.items : [include]
    for (const [index, item] of items.entries()) {
      this.followInclude(item, { at: item.at, path: include.kind === 'list' ? ['include', index] : ['include'] }, path, open)
    }
  }

  private followInclude(item: SourceNode, includer: Place, path: string, open: readonly string[]): void {
    const target = item.kind === 'scalar' ? item.value : undefined
    if (item.kind === 'scalar' && item.faulty === true) {
      this.isComplete = false
      return
    }
    if (typeof target !== 'string' || target === '') return this.fail(includer, 'must be a path relative to this file')
    if (shownText(target) !== target) return this.fail(includer, 'must be a path without control characters, quotes and backslashes')
    const base = dirname(path)
    if (!isInside(relative(this.directory, resolve(base, target)))) return this.fail(includer, escapes)
    if (!isGlob(target)) return this.include(resolve(base, target), includer, open)
    const found = expandGlob(base, target).filter((file) => !this.paths.includes(file))
    for (const file of found) this.include(file, includer, open)
    if (found.length === 0) this.options.warnings.add(includer.at, includer.path, 'matches no further file')
  }

  private include(path: string, includer: Place, open: readonly string[]): void {
    if (open.includes(path)) {
      const circle = [...open.slice(open.indexOf(path)), path].map((file) => fileName(file, this.options.cwd))
      return this.fail(includer, `the files include one another in a circle: ${circle.join(' → ')}`)
    }
    if (this.paths.includes(path)) return
    if (this.paths.length >= maxFiles) return this.fail(includer, `a configuration has at most ${maxFiles} files`)
    if (!this.staysInside(path)) return this.fail(includer, escapes)
    this.read(path, includer, open)
  }

  /** Symbolic links may not lead out of the directory; within it they may (that is how Kubernetes mounts a ConfigMap). */
  private staysInside(path: string): boolean {
    try {
      return isInside(relative(realpathSync(this.directory), realpathSync(path)))
    } catch {
      return true // it cannot be read, which is reported when it is
    }
  }

  private fail({ at, path }: Place, message: string): void {
    this.isComplete = false
    this.options.problems.add(at, path, message)
  }
}

const escapes = "must stay within the directory of the configuration: no '..' and no link that leads out of it"
