import { close, fstat, open, stat, write } from 'node:fs'
import { promisify } from 'node:util'
import { accessLine, type AccessLogFormat } from './access-line.ts'
import type { RequestRecord } from './request-record.ts'

export interface AccessLogOptions {
  /** Absolute path of a file, or `stdout` or `stderr`. */
  readonly path: string
  readonly format: AccessLogFormat
  readonly wallNow: () => number
  /** Told when lines could not be written, and when they can be again (undefined). */
  readonly onTrouble?: (error: Error | undefined) => void
}

/** Writes a line about every request. Requests never wait for it: lines that cannot be written in time are counted and left out. */
export interface AccessLog {
  /** Lines that were left out. */
  readonly dropped: number
  add(record: RequestRecord): void
  /** Writes to the file that now has the path. Also happens by itself within a second after the file was renamed. */
  reopen(): void
  /** Writes what is left, and closes the file. */
  close(): Promise<void>
}

const flushBytes = 64 * 1024
const flushMs = 1_000
/** Of lines that wait to be written. */
const maxWaiting = 4 * 1024 * 1024

const standard: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 }
const files = { open: promisify(open), close: promisify(close), write: promisify(write), fstat: promisify(fstat), stat: promisify(stat) }

export function accessLog(options: AccessLogOptions): AccessLog {
  return new BufferedLog(options)
}

class BufferedLog implements AccessLog {
  dropped = 0
  private readonly options: AccessLogOptions
  private lines = ''
  private waiting = 0
  private timer: NodeJS.Timeout | undefined = undefined
  private writing: Promise<void> | undefined = undefined
  private file: number | undefined
  private isStale = false
  private isTroubled = false

  constructor(options: AccessLogOptions) {
    this.options = options
    this.file = standard[options.path]
  }

  add(record: RequestRecord): void {
    if (this.lines.length >= maxWaiting) {
      this.dropped++
      return
    }
    this.lines += accessLine(record, this.options.format, this.options.wallNow())
    this.waiting++
    this.flushInTime()
  }

  reopen(): void {
    this.isStale = true
    this.flush()
  }

  async close(): Promise<void> {
    for (let before = Infinity; ;) {
      while (this.writing !== undefined) await this.writing // what it leaves may have begun another
      if (this.lines === '' || this.lines.length >= before) break
      before = this.lines.length
      this.flush()
    }
    clearTimeout(this.timer)
    this.dropped += this.waiting
    this.waiting = 0
    this.lines = ''
    await this.closeFile()
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined
      if (this.lines !== '') this.flushInTime()
    })
  }

  /** At once when there is much to write, else within a second; no more often than that while it fails. */
  private flushInTime(): void {
    if (this.lines.length >= flushBytes && !this.isTroubled) {
      if (this.writing === undefined) this.flush()
    } else this.timer ??= setTimeout(() => this.flush(), flushMs).unref()
  }

  private async writeAll(): Promise<void> {
    const { lines, waiting } = this
    let bytes = Buffer.from(lines, 'utf8')
    this.lines = ''
    this.waiting = 0
    try {
      const file = await this.current()
      while (bytes.length > 0) {
        const { bytesWritten } = await files.write(file, bytes)
        bytes = bytes.subarray(bytesWritten)
      }
      this.report(undefined)
    } catch (error) {
      this.keep(bytes.toString('utf8'), lines.length, waiting)
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.report(error as Error)
    }
  }

  /** What could not be written waits for the next time, if there is room. */
  private keep(rest: string, length: number, waiting: number): void {
    const isWhole = rest.length === length
    if (this.lines.length + rest.length <= maxWaiting && rest !== '') {
      this.lines = rest + this.lines
      this.waiting += isWhole ? waiting : rest.split('\n').length - 1
    } else this.dropped += isWhole ? waiting : rest.split('\n').length - 1
  }

  /** The open file; opened anew when another one, or none, has its path. */
  private async current(): Promise<number> {
    const { path } = this.options
    const known = standard[path]
    if (known !== undefined) return known
    if (this.file !== undefined && (this.isStale || (await this.wasMoved(this.file)))) await this.closeFile()
    this.isStale = false
    return (this.file ??= await files.open(path, 'a', 0o640))
  }

  private async wasMoved(file: number): Promise<boolean> {
    const [ours, there] = await Promise.all([files.fstat(file), files.stat(this.options.path).catch(() => undefined)])
    return there === undefined || there.ino !== ours.ino || there.dev !== ours.dev
  }

  private async closeFile(): Promise<void> {
    const { file } = this
    if (file === undefined || standard[this.options.path] !== undefined) return
    this.file = undefined
    await files.close(file).catch(() => undefined)
  }

  private report(error: Error | undefined): void {
    if (this.isTroubled === (error !== undefined)) return
    this.isTroubled = error !== undefined
    this.options.onTrouble?.(error)
  }
}
