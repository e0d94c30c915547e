import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { SettingPath } from './path-text.ts'
import type { ResolveOptions } from './resolve.ts'
import type { ListenerTlsSettings } from './schema-listener-tls.ts'

const dayMs = 86_400_000
const soonDays = 14

/** Absolute paths; says what is wrong with the files. */
export function resolveListenerTls(tls: ListenerTlsSettings, path: SettingPath, options: ResolveOptions): ListenerTlsSettings {
  const { report, readFile, pathOf, wallNow } = options
  const certPath = [...path, 'certFile']
  const keyPath = [...path, 'keyFile']
  const [cert, key] = [readFile(tls.certFile, certPath), readFile(tls.keyFile, keyPath)]
  const faults = pemFaults(cert, key, wallNow())
  if (faults.cert !== undefined) report('problem', certPath, faults.cert)
  if (faults.key !== undefined) report('problem', keyPath, faults.key)
  if (faults.warning !== undefined) report('warning', certPath, faults.warning)
  return { certFile: pathOf(tls.certFile, certPath), keyFile: pathOf(tls.keyFile, keyPath), minVersion: tls.minVersion }
}

export interface PemFaults {
  readonly cert?: string
  readonly key?: string
  readonly warning?: string
}

/** What is wrong with a certificate and its key; texts that could not be read are passed over. `now` is in epoch ms. */
export function pemFaults(cert: string | undefined, key: string | undefined, now: number): PemFaults {
  const certificate = cert === undefined ? undefined : read(() => new X509Certificate(cert))
  const privateKey = key === undefined ? undefined : read(() => createPrivateKey(key))
  const doesMatch = certificate === undefined || privateKey === undefined || certificate.checkPrivateKey(privateKey)
  return {
    ...(cert !== undefined && certificate === undefined
      ? { cert: 'must name a file with a certificate (PEM, -----BEGIN CERTIFICATE-----)' }
      : {}),
    ...(key !== undefined && privateKey === undefined ? { key: keyFault(key) } : {}),
    ...(doesMatch ? {} : { key: 'must name the private key of the certificate in certFile; this is the key of another one' }),
    ...(certificate === undefined ? {} : age(certificate, now)),
  }
}

function keyFault(key: string): string {
  if (/ENCRYPTED/.test(key)) return "must name a key that is not encrypted: take the passphrase off with 'openssl pkey'"
  return 'must name a file with a private key (PEM, -----BEGIN PRIVATE KEY-----)'
}

function age(certificate: X509Certificate, now: number): { readonly warning?: string } {
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
  if (now >= until) return { warning: `holds a certificate that expired on ${day(until)}: clients will refuse it` }
  if (now < from) return { warning: `holds a certificate that is not valid before ${day(from)}: clients will refuse it` }
  if (until - now < soonDays * dayMs) return { warning: `holds a certificate that expires on ${day(until)}` }
  return {}
}

function read<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
