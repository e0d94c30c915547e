import { posix } from 'node:path'
import { findImports } from './imports.ts'

/** A package, as far as others may see it. */
export interface PackageBorder {
  readonly name: string
  /** Folder in the repository. */
  readonly folder: string
  /** The keys of `exports` in its package.json. */
  readonly entries: readonly string[]
  /** The workspace packages it may import. */
  readonly mayImport: readonly string[]
}

/**
 * What is wrong with the imports between packages, one line for each.
 *
 * @param files Source texts by their path in the repository. A test may also import from `test/support` and `tools`.
 */
export function borderViolations(files: ReadonlyMap<string, string>, packages: readonly PackageBorder[]): readonly string[] {
  return [...files].flatMap(([path, source]) => {
    const home = packages.find(({ folder }) => path.startsWith(`${folder}/`))
    return findImports(source).flatMap(({ specifier }) => {
      const problem = specifier.startsWith('.') ? escape(path, specifier, home) : foreignEntry(specifier, home, packages)
      return problem === undefined ? [] : [`${path} imports ${specifier}: ${problem}`]
    })
  })
}

function escape(path: string, specifier: string, home: PackageBorder | undefined): string | undefined {
  const target = posix.join(posix.dirname(path), specifier)
  if (home === undefined || target.startsWith(`${home.folder}/`)) return undefined
  const testSupport = path.endsWith('.test.ts') && /^(test\/support|tools)\//.test(target)
  return testSupport ? undefined : `leaves ${home.folder}; import other packages by their name`
}

function foreignEntry(specifier: string, home: PackageBorder | undefined, packages: readonly PackageBorder[]): string | undefined {
  const owner = packages.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`))
  if (owner === undefined) return undefined
  if (home !== undefined && owner !== home && !home.mayImport.includes(owner.name)) return `${home.name} must not depend on ${owner.name}`
  return owner.entries.includes(`.${specifier.slice(owner.name.length)}`) ? undefined : `not a public entry of ${owner.name}`
}
