import { accessSync, constants } from 'node:fs'
import { Failure } from './failure.mjs'

/**
 * @param {string} folder
 * @param {string} need What has to be done there.
 * @throws {Failure} when this user, or nobody at all, may write in the folder.
 */
export function requireWritable(folder, need) {
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    throw new Failure(`${need}, but ${folder} cannot be written to. Use a copy of the project that you own.`)
  }
}
