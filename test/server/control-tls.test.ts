import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { generate } from 'selfsigned'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cleanup, operator, startHoldfast, startHttp, type TestServer } from '../support/server.ts'

const cleanup = new Cleanup()
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'))
})
afterEach(async () => {
  await cleanup.run()
  rmSync(folder, { recursive: true, force: true })
})

interface Pair {
  readonly cert: string
  readonly key: string
}

async function certificate(name: string): Promise<Pair> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { cert, key }
}

/** As certificate tools do it: the new file takes the place of the old one. */
function put(name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text)
  renameSync(join(folder, `${name}.new`), join(folder, name))
}

async function start(pair: Pair, minVersion = 'TLSv1.2'): Promise<TestServer> {
  put('cert.pem', pair.cert)
  put('key.pem', pair.key)
  const upstream = await startHttp((_request, response) => void response.end(JSON.stringify(_request.headers)), cleanup)
  const tls = `tls: { certFile: ${folder}/cert.pem, keyFile: ${folder}/key.pem, minVersion: ${minVersion} }`
  return await startHoldfast(
    `
server:
  dataDir: '{{data}}'
  gateway: { port: 0, headersTimeout: 200ms, ${tls} }
  control: { port: 0, ${tls} }
  tokens: [{ name: operator, role: operate, value: operator-token-0123456789 }]
upstreams: { a: { url: '${upstream}', pipeline: { attemptTimeout: 5s } } }
`,
    cleanup,
  )
}

interface Answer {
  readonly status: number | undefined
  readonly text: string
  readonly cookie: string | undefined
  readonly hsts: string | undefined
}

function get(url: string, { cert }: Pair, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca: cert, agent: false, method: body === undefined ? 'GET' : 'POST', headers: operator }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () => {
        resolve({
          status: response.statusCode,
          text,
          cookie: response.headers['set-cookie']?.[0],
          hsts: response.headers['strict-transport-security'],
        })
      })
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

/** The name on the certificate that a listener shows. */
function shownName(url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN as string)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

describe('a listener with a certificate', () => {
  it('speaks https, and its session cookies are Secure', async () => {
    const pair = await certificate('one')
    const server = await start(pair)
    expect(server.controlUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const alive = await get(`${server.controlUrl}/health/alive`, pair)
    expect([alive.status, alive.hsts]).toEqual([200, 'max-age=31536000'])
    const session = await get(`${server.controlUrl}/api/v1/session`, pair, JSON.stringify({ token: 'operator-token-0123456789' }))
    expect(session.cookie).toMatch(/; HttpOnly; Secure; SameSite=Strict$/)
  })

  it('the gateway, too; upstreams are told that the client came by https', async () => {
    const pair = await certificate('one')
    const server = await start(pair)
    const { status, text } = await get(`${server.gatewayUrl}/a/x`, pair)
    expect([status, JSON.parse(text)]).toEqual([200, expect.objectContaining({ 'x-forwarded-proto': 'https' })])
  })

  it('answers no plain HTTP, and closes connections that never agree on TLS when it stops', async () => {
    const server = await start(await certificate('one'))
    const { port } = new URL(server.controlUrl)
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connectPlain({ host: '127.0.0.1', port: Number(port) }, () =>
        socket.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n'),
      )
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.on('error', () => undefined)
      socket.once('close', () => resolve(text))
    })
    expect(answer).not.toContain('HTTP/1.1')
    const silent = connectPlain({ host: '127.0.0.1', port: Number(port) })
    silent.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => silent.once('close', () => resolve()))
    await new Promise((resolve) => silent.once('connect', resolve))
    await server.close()
    await closed
  })

  it('speaks no version older than it is told to', async () => {
    const server = await start(await certificate('one'), 'TLSv1.3')
    const { port } = new URL(server.controlUrl)
    const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false, maxVersion: 'TLSv1.2' }, () =>
        reject(new Error('agreed on TLS 1.2')),
      )
      socket.once('error', resolve)
    })
    expect(error.code).toMatch(/PROTOCOL_VERSION|ECONNRESET/)
  })

  it('S21: still closes clients that are slow to send their headers', async () => {
    const server = await start(await certificate('one'))
    const { port } = new URL(server.gatewayUrl)
    const text = await new Promise<string>((resolve, reject) => {
      let received = ''
      const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () =>
        socket.write('GET /a/ HTTP/1.1\r\nhost: x\r\nx-slow: '),
      )
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
      socket.once('error', reject)
      socket.once('close', () => resolve(received))
    })
    expect(text).toContain('HTTP/1.1 408')
  })
})

describe('a new certificate', () => {
  it('is shown to new connections as soon as the files have changed', async () => {
    const server = await start(await certificate('one'))
    expect([await shownName(server.controlUrl), await shownName(server.gatewayUrl)]).toEqual(['one', 'one'])
    const next = await certificate('two')
    put('cert.pem', next.cert)
    put('key.pem', next.key)
    await vi.waitFor(async () => expect([await shownName(server.controlUrl), await shownName(server.gatewayUrl)]).toEqual(['two', 'two']), {
      timeout: 15_000,
      interval: 200,
    })
    expect((await get(`${server.controlUrl}/health/alive`, next)).status).toBe(200)
  })

  it('that cannot be used is told, and the earlier one goes on', async () => {
    const pair = await certificate('one')
    const server = await start(pair)
    put('key.pem', (await certificate('two')).key)
    await vi.waitFor(() => expect(server.lines.join('\n')).toContain('a new certificate cannot be used, the earlier one goes on'), {
      timeout: 15_000,
      interval: 100,
    })
    expect(server.lines.join('\n')).toContain('must name the private key of the certificate')
    expect((await get(`${server.controlUrl}/health/alive`, pair)).status).toBe(200)
  })
})
