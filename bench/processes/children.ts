import { spawn, type ChildProcess } from 'node:child_process'
import { connect, createServer, type AddressInfo } from 'node:net'

export interface ChildOptions {
  /** The processor it may run on, where the machine lets us choose. @defaultValue any */
  readonly core?: number | undefined
  readonly env?: Readonly<Record<string, string>>
}

export interface Child {
  readonly pid: number
  /** Ended by itself or by us. */
  readonly hasEnded: boolean
  /** All it has said on standard output and error, the last 64 KiB. */
  readonly said: string
  /** Resolves when it has said something that matches. */
  says(pattern: RegExp): Promise<RegExpMatchArray>
  signal(name: NodeJS.Signals): void
  /** Asks it to end, and insists after three seconds. */
  stop(): Promise<void>
}

const maxSaid = 65_536
const insistAfterMs = 3_000

/** The processes a run has started. Whatever happens to the run, they end with it. */
export class Children {
  private readonly running = new Set<StartedChild>()
  private readonly taskset: string | undefined

  /** `taskset`: the program that pins a process to a processor. */
  constructor(taskset?: string) {
    this.taskset = taskset
    process.once('exit', () => {
      for (const child of this.running) child.signal('SIGKILL')
    })
    for (const [name, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      process.once(name, () => void this.stopAll().finally(() => process.exit(code)))
    }
  }

  start(command: string, args: readonly string[], { core, env = {} }: ChildOptions = {}): Child {
    const pinned =
      core === undefined || this.taskset === undefined ? [command, ...args] : [this.taskset, '-c', String(core), command, ...args]
    const [program = command, ...rest] = pinned
    const child = new StartedChild(spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } }))
    this.running.add(child)
    void child.ended.then(() => this.running.delete(child))
    return child
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.running].map((child) => child.stop()))
  }
}

class StartedChild implements Child {
  readonly pid: number
  readonly ended: Promise<void>
  said = ''
  hasEnded = false
  private readonly process: ChildProcess
  private readonly looks = new Set<() => void>()

  constructor(child: ChildProcess) {
    this.process = child
    this.pid = child.pid ?? 0
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.hasEnded = true
        this.look()
        resolve()
      }
      child.once('close', end)
      child.once('error', (error) => {
        this.said += error.message
        end()
      })
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.said = (this.said + chunk.toString()).slice(-maxSaid)
        this.look()
      })
    }
    child.stdin?.on('error', () => undefined) // it may be gone before us
  }

  says(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.said)
        if (match !== null) resolve(match)
        else if (this.hasEnded) reject(new Error(`process ${this.pid} ended early and said: ${this.said.trim()}`))
        else return
        this.looks.delete(look)
      }
      this.looks.add(look)
      look()
    })
  }

  signal(name: NodeJS.Signals): void {
    if (!this.hasEnded) this.process.kill(name)
  }

  async stop(): Promise<void> {
    this.signal('SIGTERM')
    const insist = setTimeout(() => this.signal('SIGKILL'), insistAfterMs)
    await this.ended
    clearTimeout(insist)
  }

  private look(): void {
    for (const look of this.looks) look()
  }
}

/** A port that was free a moment ago, for programs that cannot choose one by themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Resolves when the port takes connections. */
export async function untilOpen(port: number, child: Child): Promise<void> {
  const giveUpAt = performance.now() + 10_000
  while (!(await opens(port))) {
    if (child.hasEnded || performance.now() > giveUpAt)
      throw new Error(`port ${port} does not open; the process said: ${child.said.trim()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
