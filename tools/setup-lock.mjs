// Keeps two set-ups of the same folder apart: the second waits for the first and then finds nothing left to do.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { say } from './progress.mjs'

const pollMs = 250
/** A lock file is written right after it is made; one that stays empty this long belongs to a process that died in between. */
const emptyGraceMs = 5_000

/**
 * Runs `work` while holding the folder's lock. The lock of a process that is gone counts for nothing.
 * @template T
 * @param {string} folder
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetupLock(folder, work) {
  const path = join(folder, '.holdfast', 'setup.lock')
  let waiting = false
  while (!tryLock(path)) {
    const holder = holderOf(path)
    if (holder === undefined) {
      rmSync(path, { force: true })
      continue
    }
    if (holder !== 0 && !waiting) {
      say(`waiting for another set-up of this folder (process ${holder}, lock file ${path})`)
      waiting = true
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** @param {string} path */
function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true })
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false
    throw error
  }
}

/**
 * The living process that holds the lock: its id, 0 while it is not written yet, undefined when there is none.
 * @param {string} path
 */
function holderOf(path) {
  try {
    const text = readFileSync(path, 'utf8')
    if (text === '') return Date.now() - statSync(path).mtimeMs < emptyGraceMs ? 0 : undefined
    return isAlive(Number(text)) ? Number(text) : undefined
  } catch {
    return undefined
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
