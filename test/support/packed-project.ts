import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packPackages } from '../../tools/pack.mjs'
import { readJson, root } from '../../tools/workspace.mjs'

const run = promisify(execFile)

/** A folder outside the repository in which the packed packages are installed, as a user would have them. */
export interface PackedProject {
  readonly folder: string
  /** Runs Node.js in the project's folder and returns what it printed; rejects on any exit code but 0. */
  node(...args: readonly string[]): Promise<string>
  dispose(): void
}

/**
 * Packs the public packages and unpacks them into a new project, without the network. Each package sees exactly the dependencies it
 * declares: an import it does not declare fails here, as it would for a user.
 */
export async function createPackedProject(): Promise<PackedProject> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-packed-'))
  const dispose = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    await install(folder)
  } catch (error) {
    dispose()
    throw error
  }
  return {
    folder,
    node: async (...args) => (await run(process.execPath, args, { cwd: folder, env: plainEnvironment(), timeout: 170_000 })).stdout,
    dispose,
  }
}

async function install(folder: string): Promise<void> {
  const packed = await packPackages(join(folder, 'tarballs'))
  const ours = packed.map(({ name }) => name)
  for (const { name, folder: source, tarball } of packed) {
    const installed = join(folder, 'node_modules', name)
    mkdirSync(installed, { recursive: true })
    await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
    const declared = Object.keys(readJson(join(installed, 'package.json')).dependencies ?? {})
    for (const dependency of declared.filter((candidate) => !ours.includes(candidate))) {
      link(locate(dependency, join(root, source)), join(installed, 'node_modules', dependency))
    }
  }
  link(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
}

/** The environment without what the test runner set, so that nothing leads back to the repository's source. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, ...environment } = process.env
  return environment
}

/** Where a workspace finds a dependency: beside its own package.json, else at the top. */
function locate(dependency: string, workspace: string): string {
  const nested = join(workspace, 'node_modules', dependency)
  return existsSync(nested) ? nested : join(root, 'node_modules', dependency)
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path, 'junction')
}
