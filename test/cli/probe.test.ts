import { createServer as createTlsServer } from 'node:https'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generate } from 'selfsigned'
import { afterEach, describe, expect, it } from 'vitest'
import { probe, type ProbeArguments } from '../../packages/cli/src/commands/probe.ts'
import type { CommandFailure } from '../../packages/cli/src/exit-codes.ts'
import { runCommand } from '../support/cli.ts'
import { Cleanup, startHoldfast, startHttp } from '../support/server.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const nowhere = 'http://127.0.0.1:9'

interface Outcome {
  readonly exitCode: number
  readonly said: string
}

async function outcome(args: Partial<ProbeArguments>): Promise<Outcome> {
  let said = ''
  const stream = { write: (text: string) => (said += text) } as unknown as NodeJS.WriteStream
  try {
    await probe({ url: nowhere, timeout: '10s', ...args }, { stdout: stream, stderr: stream, env: {} })
    return { exitCode: 0, said }
  } catch (error) {
    const { exitCode, message } = error as CommandFailure
    return { exitCode, said: said + message }
  }
}

describe('holdfast probe', () => {
  it('asks a server that serves, and says so', async () => {
    const { controlUrl } = await startHoldfast('upstreams:\n  llm: { url: http://127.0.0.1:9 }\n', cleanup)
    expect(await outcome({ url: controlUrl })).toEqual({ exitCode: 0, said: 'ready\n' })
    expect(await outcome({ url: `${controlUrl}/`, alive: true })).toEqual({ exitCode: 0, said: 'alive\n' })
  })

  it('tells ready from alive when a critical dependency is down', async () => {
    const yaml = 'upstreams:\n  llm: { url: http://127.0.0.1:9, health: { path: /health, critical: true, timeout: 200ms } }\n'
    const { controlUrl } = await startHoldfast(yaml, cleanup)
    const said = expect.stringMatching(/^not ready: http:.*\/health\/ready answers 503/)
    expect(await outcome({ url: controlUrl })).toEqual({ exitCode: 1, said })
    expect(await outcome({ url: controlUrl, alive: true })).toMatchObject({ exitCode: 0 })
  })

  it('with --wait, asks again until it is well, and no longer', async () => {
    let asked = 0
    const url = await answering((_request, response) => void response.writeHead(++asked < 3 ? 503 : 200).end('{}'))
    expect(await outcome({ url, wait: '30s' })).toEqual({ exitCode: 0, said: 'ready\n' })
    expect(asked).toBe(3)
    expect(await outcome({ wait: '250ms' })).toMatchObject({ exitCode: 1, said: expect.stringContaining('nothing listens there') })
  })

  it('asks below a path', async () => {
    const asked: string[] = []
    const url = await answering((request, response) => void response.end(asked.push(request.url!) ? 'ok' : ''))
    expect(await outcome({ url: `${url}/holdfast/` })).toMatchObject({ exitCode: 0 })
    expect(asked).toEqual(['/holdfast/health/ready'])
  })

  it('gives up on a server that takes the connection and says nothing, or never ends its answer', async () => {
    for (const handle of [() => undefined, (_request, response) => void response.write('{')] satisfies RequestListener[]) {
      const url = await answering(handle)
      expect(await outcome({ url, timeout: '100ms' })).toEqual({ exitCode: 1, said: `${url}/health/ready did not answer within 100ms` })
    }
  })

  it('says that nothing listens', async () => {
    expect(await outcome({})).toEqual({ exitCode: 1, said: `${nowhere}/health/ready does not answer: nothing listens there` })
  })

  it('reads no more than a little of an answer without end, and shows nothing that a terminal would obey', async () => {
    const endless = await answering((_request, response) => {
      const more = (): boolean => response.write(' '.repeat(16_384)) && more()
      response.on('drain', more).writeHead(503)
      more()
    })
    expect(await outcome({ url: endless })).toEqual({ exitCode: 1, said: `not ready: ${endless}/health/ready answers 503` })
    const escape = String.fromCodePoint(27)
    const rude = await answering((_request, response) => void response.writeHead(503).end(JSON.stringify({ reason: `a${escape}[2J\nb` })))
    expect((await outcome({ url: rude })).said).toBe(`not ready: ${rude}/health/ready answers 503, a [2J b`)
  })

  it('follows no redirect: only the server itself can say that it is well', async () => {
    const well = await answering((_request, response) => void response.end('{}'))
    const url = await answering((_request, response) => void response.writeHead(302, { location: well }).end())
    expect(await outcome({ url })).toMatchObject({ exitCode: 1, said: expect.stringContaining('answers 302') })
  })

  it('takes an unknown certificate only with --insecure, and names the option', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
    const server = createTlsServer({ key, cert }, (_request, response) => void response.end('{}'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup.add(() => server.close())
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await outcome({ url })).toMatchObject({ exitCode: 1, said: expect.stringContaining('--insecure takes whatever') })
    expect(await outcome({ url, insecure: true })).toEqual({ exitCode: 0, said: 'ready\n' })
  })

  it.each([
    [{ url: 'localhost:8000' }, "--url has to be an address such as http://127.0.0.1:8000, got 'localhost:8000'"],
    [{ url: 'http://me:hush@127.0.0.1' }, '--url must not hold a name and password'],
    [{ url: 'me:hush@127.0.0.1' }, "got '…@127.0.0.1'"],
    [{ timeout: '3' }, "--timeout has to be a duration of up to 10m such as 3s, got '3'"],
    [{ wait: 'long' }, "--wait has to be a duration of up to 10m such as 3s, got 'long'"],
    [{ timeout: '0s' }, "got '0s'"],
    [{ timeout: '11m' }, "got '11m'"],
    [{ ready: true, alive: true }, '--ready and --alive are two questions'],
  ])('refuses %j as wrong use', async (args, said) => {
    const refused = await outcome(args)
    expect(refused).toEqual({ exitCode: 2, said: expect.stringContaining(said) })
    expect(refused.said).not.toContain('hush')
  })

  it('is a command whose exit code says it all', async () => {
    const url = await answering((_request, response) => void response.end('{}'))
    expect(await runCommand(['probe', '--alive', '--url', url])).toMatchObject({ code: 0, stdout: 'alive\n' })
    expect(await runCommand(['probe', '--url', nowhere])).toMatchObject({
      code: 1,
      stderr: `holdfast: ${nowhere}/health/ready does not answer: nothing listens there\n`,
    })
    expect((await runCommand(['probe', '--timeout', 'soon'])).code).toBe(2)
  })
})

function answering(handle: RequestListener): Promise<string> {
  return startHttp(handle, cleanup)
}
