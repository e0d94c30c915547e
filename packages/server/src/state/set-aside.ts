import { closeSync, existsSync, openSync, renameSync } from 'node:fs'
import { DatabaseError } from './database-error.ts'

/** A file that could not be used and was moved out of the way; nothing is ever deleted. */
export interface SetAside {
  readonly path: string
  readonly movedTo: string
  readonly reason: string
}

/** Moves a database with its log out of the way. The log of a damaged file must not be replayed into the new one. */
export function setAside(path: string, reason: string, now: number): SetAside {
  const movedTo = freeName(`${path}.damaged-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`)
  try {
    for (const suffix of ['-wal', '-shm', '']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, movedTo + suffix)
    }
  } catch (error) {
    throw new DatabaseError('ERR_DATABASE_ACCESS', path, `${reason}, and cannot be moved out of the way: move it by hand`, error)
  }
  return { path, movedTo, reason }
}

/** Why a file cannot serve as a database for a reason that lies in the file; undefined when it can, or when the fault is elsewhere. */
export function unusableFile(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'r+'))
    return undefined
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'EISDIR':
        return 'is a folder'
      case 'EACCES':
        return 'may not be read and written by this user'
      case 'ELOOP':
        return 'is a symbolic link in a circle'
      default:
        return undefined
    }
  }
}

function freeName(wanted: string): string {
  let name = wanted
  for (let count = 2; existsSync(name); count++) name = `${wanted}-${count}`
  return name
}
