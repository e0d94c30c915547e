import type { AddressInfo, Server } from 'node:net'

/** A listener that could not be opened, in one line with the way out. */
export class ListenError extends Error {
  readonly code: string
  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause })
    this.code = code
  }
}
Object.defineProperty(ListenError.prototype, 'name', { value: 'ListenError' })

/** Resolves when the server listens. `setting` is the option that the error names. */
export function listen(server: Server, host: string, port: number, setting: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void =>
      reject(new ListenError(error.code ?? 'ERR_LISTEN', explain(error, host, port, setting), error))
    server.once('error', onError)
    server.listen(port, host, () => {
      server.off('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
}

function explain(error: NodeJS.ErrnoException, host: string, port: number, setting: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `${host}:${port} is in use by another program: stop it, or set ${setting} to a free port (0 takes any)`
    case 'EACCES':
      return `${host}:${port} may not be opened by this user: set ${setting} to a port from 1024 up`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: set ${setting.replace(/port$/, 'host')} to one, such as 127.0.0.1`
    default:
      return `${host}:${port} cannot be opened (${error.code ?? error.message}): see ${setting}`
  }
}
