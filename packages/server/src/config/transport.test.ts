import { generate } from 'selfsigned'
import { describe, expect, it } from 'vitest'
import { errorsOf, loaded, loadText, warningsOf } from './config.fixture.ts'
import { redactedConfig } from './redact.ts'

const upstream = (lines: string, url = 'https://api.internal'): string =>
  `upstreams:\n  up:\n    url: ${url}\n    pipeline: { totalTimeout: 5s }\n${lines.replace(/^/gm, '    ')}`

describe('how an upstream is reached', () => {
  it('has defaults', () => {
    expect(loaded(loadText(upstream(''))).config.upstreams['up']).toMatchObject({
      connectTimeout: 10_000,
      http2: false,
      upgrades: ['websocket'],
      tunnelIdleTimeout: 300_000,
      forwarded: 'x-forwarded',
    })
  })

  it('says what is wrong, and what was probably meant', () => {
    expect(errorsOf(loadText(upstream('http2: auto')))).toEqual([expect.stringContaining('upstreams.up.http2: must be true or false')])
    expect(errorsOf(loadText(upstream('upgrades: [h2c]')))).toEqual([expect.stringContaining('HTTP/2 is set by http2')])
    expect(errorsOf(loadText(upstream('deadlineHeader: host')))).toEqual([
      expect.stringContaining('must not be a header that belongs to the connection'),
    ])
    expect(errorsOf(loadText(upstream('connectTimeot: 1s')))).toEqual([expect.stringContaining("did you mean 'connectTimeout'?")])
    expect(errorsOf(loadText(upstream('forwarded: xff')))).toEqual([
      expect.stringContaining('must be one of x-forwarded, rfc7239, both, none'),
    ])
    expect(errorsOf(loadText(upstream('tls: { certFile: a.pem }')))).toEqual([
      expect.stringContaining("must have both of 'certFile' and 'keyFile', or none"),
    ])
    expect(errorsOf(loadText(upstream('tls: { caFile: nowhere.pem }')))).toEqual([expect.stringContaining('upstreams.up.tls.caFile')])
    expect(errorsOf(loadText(upstream('tls: { caFile: a.txt }'), {}, { 'config/a.txt': 'hello' }))).toEqual([
      expect.stringContaining('must name a PEM file'),
    ])
  })

  it('warns of TLS settings for an upstream without TLS', () => {
    const warnings = warningsOf(loadText(upstream('http2: true\ntls: { serverName: a }', 'http://127.0.0.1:1')))
    expect(warnings).toEqual([
      expect.stringContaining('upstreams.up.http2: is never used'),
      expect.stringContaining('upstreams.up.tls: is never used'),
    ])
  })

  it('reads certificates, and shows no private key', async () => {
    const pem = await generate([{ name: 'commonName', value: 'up' }], { keySize: 2048 })
    const result = loaded(
      loadText(
        upstream('tls: { caFile: c.pem, certFile: c.pem, keyFile: k.pem }'),
        {},
        { 'config/c.pem': pem.cert, 'config/k.pem': pem.private },
      ),
    )
    expect(result.config.upstreams['up']?.tls).toEqual({ ca: pem.cert.trim(), cert: pem.cert.trim(), privateKey: pem.private.trim() })
    expect(result.attachments).toHaveLength(2)
    expect(result.provenance('upstreams.up.tls.privateKey')).toMatchObject({ from: 'file', line: 5 })
    expect(JSON.stringify(redactedConfig(result.config))).not.toContain('PRIVATE KEY')
  })
})

describe('where requests are told of', () => {
  it('has paths that are absolute, and headers that are secrets', () => {
    const { config } = loaded(
      loadText(
        `server:\n  accessLog: { path: access.log }\n  tracing: { endpoint: 'http://127.0.0.1:4318/v1/traces', headers: { X-Team: secret-team } }\n${upstream('')}`,
      ),
    )
    expect(config.server.accessLog).toEqual({ path: expect.stringMatching(/^\/.*\/access\.log$/), format: 'json' })
    expect(config.server.tracing).toEqual({
      endpoint: 'http://127.0.0.1:4318/v1/traces',
      sampleRatio: 1,
      serviceName: 'holdfast',
      headers: { 'x-team': 'secret-team' },
    })
    expect(JSON.stringify(redactedConfig(config))).not.toContain('secret-team')
    expect(loaded(loadText(`server:\n  accessLog: { path: stdout, format: common }\n${upstream('')}`)).config.server.accessLog).toEqual({
      path: 'stdout',
      format: 'common',
    })
    expect(errorsOf(loadText(`server:\n  accessLog: { path: stdout, format: combined }\n${upstream('')}`))).toEqual([
      expect.stringContaining('must be one of json, common'),
    ])
  })
})
