// node tools/pack.mjs [folder]: packs the public packages as they are published, into .holdfast/packages unless told otherwise.
import './require-node.mjs'
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { Failure, runTool } from './failure.mjs'
import { ensureInstalled } from './install.mjs'
import { runNpm } from './npm.mjs'
import { publicPackages, readJson, root, scratch } from './workspace.mjs'

/** The export condition under which this repository runs from source; a published package has no source to offer. */
const sourceCondition = '@holdfast/source'
const neverPublished = /\.(test|fixture)\.|\.tsbuildinfo$/

/**
 * @typedef {object} PackedPackage
 * @property {string} name
 * @property {string} folder Where it lives in this repository, for example `packages/holdfast`.
 * @property {string} tarball Absolute path.
 */

/**
 * Packs every public package from its build output. Needs no network.
 * @param {string} destination Folder for the tarballs; made when missing.
 * @returns {Promise<PackedPackage[]>}
 * @throws {Failure} when the packages do not build or npm refuses to pack them.
 */
export async function packPackages(destination) {
  await ensureBuilt(root)
  mkdirSync(destination, { recursive: true })
  const staging = mkdtempSync(join(tmpdir(), 'holdfast-pack-'))
  try {
    const staged = publicPackages.map((folder) => stage(folder, join(staging, basename(folder))))
    const { code, output } = await runNpm(
      ['pack', '--ignore-scripts', '--pack-destination', destination, ...staged.map(({ path }) => path)],
      { cwd: staging },
    )
    if (code !== 0) throw new Failure(`npm pack failed:\n${output}`)
    return staged.map(({ name, folder, version }) => ({ name, folder, tarball: join(destination, tarballName(name, version)) }))
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/**
 * Lays out one package as it is published.
 * @param {string} folder
 * @param {string} path
 */
function stage(folder, path) {
  const source = join(root, folder)
  const manifest = readJson(join(source, 'package.json'))
  mkdirSync(path)
  for (const entry of manifest.files) {
    if (existsSync(join(source, entry)))
      cpSync(join(source, entry), join(path, entry), { recursive: true, filter: (file) => isPublished(source, file) })
  }
  for (const text of ['README.md', 'LICENSE']) {
    const owner = [source, root].find((candidate) => existsSync(join(candidate, text)))
    if (owner) cpSync(join(owner, text), join(path, text))
  }
  writeFileSync(join(path, 'package.json'), `${JSON.stringify(withoutCondition(manifest), null, 2)}\n`)
  return { name: manifest.name, version: manifest.version, folder, path }
}

/**
 * Tests stay here, and so does output whose source is gone: the compiler never deletes what it once wrote.
 * @param {string} source
 * @param {string} file
 */
function isPublished(source, file) {
  if (neverPublished.test(basename(file))) return false
  const [, compiled] = /^dist[\\/](.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(relative(source, file)) ?? []
  return compiled === undefined || ['.ts', '.tsx'].some((ending) => existsSync(join(source, 'src', compiled + ending)))
}

/**
 * The same manifest without the condition that leads to source files.
 * @template T
 * @param {T} value
 * @returns {T}
 */
export function withoutCondition(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const kept = Object.entries(value).filter(([key]) => key !== sourceCondition)
  return /** @type {T} */ (Object.fromEntries(kept.map(([key, inner]) => [key, withoutCondition(inner)])))
}

/**
 * @param {string} name
 * @param {string} version
 */
function tarballName(name, version) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runTool(async () => {
    await ensureInstalled(root)
    const destination = resolve(process.argv[2] ?? join(scratch, 'packages'))
    for (const { tarball } of await packPackages(destination)) console.log(tarball)
  })
}
