import { TestRunner } from 'vitest'
import { findNeighbour, neighbours, type Neighbour } from '../../tools/neighbours.mjs'

/** Where to look for a program that is not in the list of tools/neighbours.mjs; what is left out follows from its name. */
export interface NeighbourLookup {
  /** Environment variable that may hold the path of its executable. @defaultValue HOLDFAST_ and the name in capitals */
  readonly env?: string
  /** Names it goes by on the PATH, the preferred one first. @defaultValue the name */
  readonly candidates?: readonly string[]
  /** The Debian package that brings it. @defaultValue the name */
  readonly apt?: string
}

/**
 * The path of a real program that the running test needs. Without one, the test is skipped with the reason in its report;
 * where CI is set it fails instead. To be called inside a test.
 */
export function neighbour(name: string, lookup: NeighbourLookup = {}, environment: NodeJS.ProcessEnv = process.env): string {
  const found = findNeighbour(describeNeighbour(name, lookup), environment)
  if ('path' in found) return found.path
  if (environment['CI']) throw new Error(`${found.missing}. With CI set, its absence is a failure.`)
  console.warn(`SKIPPED: ${found.missing}.`)
  const test = TestRunner.getCurrentTest()
  if (test === undefined) throw new Error(`neighbour('${name}') is called outside of a test, which could be skipped`)
  return test.context.skip(found.missing)
}

function describeNeighbour(name: string, { env, candidates, apt }: NeighbourLookup): Neighbour {
  const listed = (neighbours as Readonly<Record<string, Neighbour>>)[name]
  return {
    name: listed?.name ?? name,
    usedFor: listed?.usedFor ?? name,
    neededBy: listed?.neededBy ?? 'tests',
    variable: env ?? listed?.variable ?? `HOLDFAST_${name.toUpperCase().replaceAll('-', '_')}`,
    commands: candidates ?? listed?.commands ?? [name],
    debianPackage: apt ?? listed?.debianPackage ?? name,
  }
}
