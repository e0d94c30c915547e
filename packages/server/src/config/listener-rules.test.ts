import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { errorsOf, loaded, loadText, warningsOf } from './config.fixture.ts'

const token = 'tokens: [{ name: ops, role: operate, value: 0123456789abcdef }]'
const server = (settings: string): string =>
  `server: { ${settings} }\nupstreams: { a: { url: 'http://127.0.0.1:9', pipeline: { attemptTimeout: 1s } } }\n`

describe('S1: who can reach the control listener', () => {
  it.each([
    ['control: { host: 0.0.0.0 }', 'must be a loopback address while there are no tokens', "value: '${HOLDFAST_TOKEN}'"],
    ['control: { trustedProxies: [10.0.0.1] }', 'must be empty while there are no tokens', "value: '${HOLDFAST_TOKEN}'"],
    ['control: { loginRequired: true }', 'nobody could log in', "value: '${HOLDFAST_TOKEN}'"],
    [`control: { host: 0.0.0.0, loginRequired: false }, ${token}`, 'must be true unless host is a loopback address', 'anyone could read'],
  ])('%s is refused, with the way out', (settings, problem, fix) => {
    const errors = errorsOf(loadText(server(settings))).join('\n')
    expect(errors).toContain(problem)
    expect(errors).toContain(fix)
  })

  it('in the open without TLS is a warning', () => {
    expect(warningsOf(loadText(server(`control: { host: 0.0.0.0 }, ${token}`))).join()).toContain('tokens travel unencrypted')
  })
})

describe('the certificate of a listener', () => {
  const certificate = async (from: string, until: string): Promise<{ cert: string; key: string }> => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      notBeforeDate: new Date(from),
      notAfterDate: new Date(until),
    })
    return { cert, key }
  }
  const tls = (part = 'control'): string => server(`${part}: { port: 0, tls: { certFile: cert.pem, keyFile: key.pem } }`)

  it('is read relative to the file that names it', async () => {
    const { cert, key } = await certificate('2020-01-01', '2090-01-01')
    for (const part of ['control', 'gateway'] as const) {
      const result = loaded(loadText(tls(part), {}, { 'config/cert.pem': cert, 'config/key.pem': key }))
      expect(warningsOf(result)).toEqual([])
      expect(result.config.server[part].tls).toEqual({
        certFile: expect.stringMatching(/^\/.*\/config\/cert\.pem$/) as string,
        keyFile: expect.stringMatching(/^\/.*\/config\/key\.pem$/) as string,
        minVersion: 'TLSv1.2',
      })
    }
  })

  it('what is wrong with it is said where it is named', async () => {
    const [one, other] = [await certificate('2020-01-01', '2090-01-01'), await certificate('2020-01-01', '2090-01-01')]
    const errors = (files: Record<string, string>): string[] =>
      errorsOf(loadText(tls(), {}, files)).map((line) => line.replace(/^\S+ /, ''))
    expect(errors({ 'config/key.pem': one.key })).toEqual(['server.control.tls.certFile: file cert.pem cannot be read: no such file'])
    expect(errors({ 'config/cert.pem': 'hello', 'config/key.pem': one.cert })).toEqual([
      expect.stringContaining('certFile: must name a file with a certificate (PEM'),
      expect.stringContaining('keyFile: must name a file with a private key (PEM'),
    ])
    expect(errors({ 'config/cert.pem': one.cert, 'config/key.pem': other.key })).toEqual([
      expect.stringContaining('keyFile: must name the private key of the certificate in certFile'),
    ])
    const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n'
    expect(errors({ 'config/cert.pem': one.cert, 'config/key.pem': encrypted })[0]).toContain("take the passphrase off with 'openssl pkey'")
  })

  it.each([
    ['2020-01-01', '2021-01-01', 'expired on 2021-01-01'],
    ['2080-01-01', '2081-01-01', 'not valid before 2080-01-01'],
  ])('from %s to %s: a warning', async (from, until, warning) => {
    const { cert, key } = await certificate(from, until)
    expect(warningsOf(loadText(tls(), {}, { 'config/cert.pem': cert, 'config/key.pem': key }))).toEqual([expect.stringContaining(warning)])
  })

  it('no part of the key is ever printed', async () => {
    const { cert, key } = await certificate('2020-01-01', '2090-01-01')
    const errors = errorsOf(loadText(tls(), {}, { 'config/cert.pem': key, 'config/key.pem': cert })).join('\n')
    for (const line of key.trim().split('\n').slice(1, -1)) expect(errors).not.toContain(line)
  })
})
