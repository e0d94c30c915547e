import { posix } from 'node:path'
import { findImports, type ImportFound } from './imports.ts'

/** The library's layers, lowest first. A file imports from its own layer and from lower ones. */
const layers = [
  'core',
  'patterns',
  'engines',
  'adaptive',
  'chaos',
  'simulation',
  'cluster',
  'operations',
  'adapters',
  'agents',
  'validation',
  'system',
] as const

/** `testing` stands beside the layers: these are all it may use, and no layer may use it. */
const testingMayImport = ['testing', 'core', 'engines', 'simulation']
const rootMayImport = ['core', 'patterns']
/** Exports every pattern, for the layers above; a pattern that imported it would import its siblings. */
const listOfPatterns = 'patterns/index.ts'
const withoutNode = ['core', 'patterns']

/** Files of core and patterns that use a Node.js module at run time, each with its reason. */
const nodeModulesAllowed: Readonly<Record<string, string>> = {}

/**
 * What is wrong with the imports of the library, one line for each.
 *
 * @param files Source texts by their path below `src`, for example `patterns/retry/retry.ts`; tests are left out by the caller.
 */
export function layerViolations(files: ReadonlyMap<string, string>): readonly string[] {
  return [...files].flatMap(([path, source]) =>
    findImports(source).flatMap((found) => {
      const problem = found.specifier.startsWith('.') ? relativeProblem(path, found.specifier) : packageProblem(path, found)
      return problem === undefined ? [] : [`${path} imports ${found.specifier}: ${problem}`]
    }),
  )
}

function relativeProblem(path: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier)
  if (target.startsWith('..')) return 'outside the library'
  if (/\.(test|fixture)\.ts$/.test(target)) return 'only tests use tests and fixtures'
  const from = layerOf(path)
  const to = layerOf(target)
  if (from === '') return rootMayImport.includes(to) ? undefined : 'the root entry exports core and patterns only'
  if (from === 'testing') return testingMayImport.includes(to) ? undefined : `testing uses ${testingMayImport.slice(1).join(', ')} only`
  if (from === 'patterns' && to === 'patterns') return sidewaysProblem(path, target)
  if (rank(from) === -1 || rank(to) === -1) return `${rank(from) === -1 ? from : to || 'the root entry'} is not a layer that others may use`
  return rank(to) > rank(from) ? `upwards, from ${from} to ${to}` : undefined
}

function sidewaysProblem(path: string, target: string): string | undefined {
  if (path === listOfPatterns) return undefined
  return patternOf(path) === patternOf(target) ? undefined : `sideways, from pattern to pattern; what both need belongs to core`
}

function packageProblem(path: string, found: ImportFound): string | undefined {
  if (found.typeOnly) return undefined
  if (!found.specifier.startsWith('node:')) return found.lazy ? undefined : 'the library depends on nothing; a neighbour is imported lazily'
  return withoutNode.includes(layerOf(path)) && !(path in nodeModulesAllowed) ? 'core and patterns run without Node.js' : undefined
}

function rank(layer: string): number {
  return layers.findIndex((name) => name === layer)
}

/** The first folder of a path, empty for a file directly in `src`. */
function layerOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : ''
}

/** The pattern's folder; a file directly in `patterns` belongs to none and counts as its own. */
function patternOf(path: string): string {
  return path.split('/')[1] ?? ''
}
