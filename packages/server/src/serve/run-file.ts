import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where a running server can be found, for tools on the same machine. */
export interface RunFile {
  readonly pid: number
  readonly gatewayUrl: string
  readonly controlUrl: string
  readonly version: string
  /** Epoch ms. */
  readonly startedAt: number
}

/** A data directory that cannot be used, in one line with the way out. */
export class DataDirectoryError extends Error {
  readonly code: string
  constructor(directory: string, error: NodeJS.ErrnoException) {
    super(`${directory} cannot be written (${error.code ?? error.message}): set server.dataDir to a folder that this user may write`, {
      cause: error,
    })
    this.code = error.code ?? 'ERR_DATA_DIRECTORY'
  }
}
Object.defineProperty(DataDirectoryError.prototype, 'name', { value: 'DataDirectoryError' })

/**
 * Makes sure that the data directory can be written.
 * @throws DataDirectoryError
 */
export async function prepareDataDirectory(directory: string): Promise<void> {
  const probe = join(directory, `.probe-${process.pid}`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(probe, '', { mode: 0o600 })
    await rm(probe, { force: true })
  } catch (error) {
    throw new DataDirectoryError(directory, error as NodeJS.ErrnoException)
  }
}

/** Writes `server.json`, whole or not at all. Returns the function that takes it away again, if it is still this server's. */
export async function writeRunFile(directory: string, run: RunFile): Promise<() => Promise<void>> {
  const path = join(directory, 'server.json')
  const temporary = `${path}.${process.pid}`
  try {
    await writeFile(temporary, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
    await rename(temporary, path)
  } catch (error) {
    throw new DataDirectoryError(directory, error as NodeJS.ErrnoException)
  }
  return async () => {
    const text = await readFile(path, 'utf8').catch(() => '{}')
    if ((JSON.parse(text) as Partial<RunFile>).pid === run.pid) await rm(path, { force: true })
  }
}
