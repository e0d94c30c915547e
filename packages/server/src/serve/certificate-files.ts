import { readFileSync, statSync } from 'node:fs'
import { pemFaults, type ListenerTlsSettings } from '../config/index.ts'

export interface CertificateTrouble {
  readonly certFile: string
  readonly keyFile: string
}

interface Pair {
  readonly cert: string
  readonly key: string
}

/** How often the files are looked at. Tools replace them by renaming, by symbolic links or in place: looking finds all of that. */
const lookEveryMs = 2_000

/** A certificate and its key, read again when the files change. What cannot be used is told once, and the earlier one stays. */
export class CertificateFiles {
  readonly settings: ListenerTlsSettings
  private readonly tell: (message: string, trouble: CertificateTrouble | undefined) => void
  private seen: string
  private inUse: string | undefined = undefined
  private timer: NodeJS.Timeout | undefined = undefined

  constructor(settings: ListenerTlsSettings, tell: (message: string, trouble: CertificateTrouble | undefined) => void = () => undefined) {
    this.settings = settings
    this.tell = tell
    this.seen = this.fingerprint()
  }

  /** @throws Error when a file cannot be read, or the two do not belong together. */
  read(): Pair {
    const [cert, key] = [readFileSync(this.settings.certFile, 'utf8'), readFileSync(this.settings.keyFile, 'utf8')]
    const faults = pemFaults(cert, key, Date.now())
    if (faults.cert !== undefined) throw new Error(`server tls: ${this.settings.certFile}: certFile ${faults.cert}`)
    if (faults.key !== undefined) throw new Error(`server tls: ${this.settings.keyFile}: keyFile ${faults.key}`)
    this.inUse = cert + key
    return { cert, key }
  }

  /** Calls `use` with every new pair. */
  watch(use: (pair: Pair) => void): void {
    this.timer = setInterval(() => this.look(use), lookEveryMs).unref()
  }

  close(): void {
    clearInterval(this.timer)
  }

  private look(use: (pair: Pair) => void): void {
    const fingerprint = this.fingerprint()
    if (fingerprint === this.seen) return
    this.seen = fingerprint
    const { certFile, keyFile } = this.settings
    const before = this.inUse
    try {
      const pair = this.read()
      if (this.inUse === before) return
      use(pair)
      this.tell('the certificate was read again', undefined)
    } catch (error) {
      // the other file is still to come, perhaps
      this.tell(`a new certificate cannot be used, the earlier one goes on: ${error instanceof Error ? error.message : String(error)}`, {
        certFile,
        keyFile,
      })
    }
  }

  /** Differs whenever one of the files was written or replaced. */
  private fingerprint(): string {
    const { certFile, keyFile } = this.settings
    return [certFile, keyFile]
      .map((path) => {
        const stat = statSync(path, { throwIfNoEntry: false, bigint: true })
        return stat === undefined ? 'none' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`
      })
      .join(' ')
  }
}
