import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import { expect, it } from 'vitest'
import { listen } from './listen.ts'

/** A server that cannot be opened, for a reason that a test cannot bring about: it may run as root. */
function failing(code: string): Server {
  const server = new EventEmitter()
  return Object.assign(server, { listen: () => server.emit('error', Object.assign(new Error('listen'), { code })) }) as unknown as Server
}

it.each([
  ['EACCES', '127.0.0.1:80 may not be opened by this user: set server.gateway.port to a port from 1024 up'],
  ['EADDRINUSE', '127.0.0.1:80 is in use by another program: stop it, or set server.gateway.port to a free port (0 takes any)'],
  ['EADDRNOTAVAIL', '127.0.0.1 is no address of this machine: set server.gateway.host to one, such as 127.0.0.1'],
])('S79: %s is one line with the way out', async (code, message) => {
  await expect(listen(failing(code), '127.0.0.1', 80, 'server.gateway.port')).rejects.toMatchObject({ name: 'ListenError', code, message })
})
