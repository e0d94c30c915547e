import { fork, type ChildProcess } from 'node:child_process'
import type { FaultState, ServiceName } from './faults.ts'
import type { LaneName } from './snapshot.ts'
import type { ServiceConfig, ServiceReady } from './services/service-config.ts'
import type { ServiceStats } from './services/service-stats.ts'

/** A service of a lane, running as a process of its own. */
export interface ServiceChild {
  readonly lane: LaneName
  readonly service: ServiceName
  readonly pid: number
  readonly url: string
  /** @throws when the process does not answer in time. */
  setFault(fault: FaultState): Promise<void>
  /** @throws when the process does not answer in time. */
  stats(): Promise<ServiceStats>
  /** Asks it to end, and ends it when it does not within a second. Never fails. */
  stop(): Promise<void>
}

export interface ServiceChildOptions {
  readonly lane: LaneName
  readonly config: ServiceConfig
  /** Node options of the process. @defaultValue those of this process */
  readonly execArgv?: readonly string[] | undefined
  /** Told, in one sentence, when the process ends although nobody asked it to. */
  readonly onCrash: (message: string) => void
}

const startWithinMs = 20_000
const adminWithinMs = 2_000
const stopWithinMs = 1_000
const keptErrorText = 2_000

/** @throws Error in one sentence when the process ends, or is not ready, before it can be used. */
export async function startServiceChild(options: ServiceChildOptions): Promise<ServiceChild> {
  const { lane, config, onCrash } = options
  const { service } = config
  const entry = new URL(
    import.meta.url.endsWith('.ts') ? './services/service-process.ts' : './services/service-process.js',
    import.meta.url,
  )
  const child = fork(entry, [JSON.stringify(config)], {
    execArgv: [...(options.execArgv ?? process.execArgv)],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const title = `the ${service} service of the ${lane} lane (pid ${child.pid})`
  const errorText = lastText(child)
  let stopping = false
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  void exited.then((how) => {
    if (!stopping) onCrash(`${title} ended unexpectedly (${how})${errorText()}`)
  })

  const stop = async (): Promise<void> => {
    stopping = true
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    await exited
    clearTimeout(force)
  }

  const ready = await firstOf(child, exited)
  if (typeof ready === 'string') {
    await stop()
    throw new Error(`${title} did not start (${ready})${errorText()}`)
  }
  const admin = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await fetch(`${ready.adminUrl}/__demo/${path}`, { ...init, signal: AbortSignal.timeout(adminWithinMs) })
    if (!response.ok) throw new Error(`${title} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
  return {
    lane,
    service,
    pid: child.pid as number,
    url: ready.url,
    setFault: async (fault) => void (await admin('faults', { method: 'POST', body: JSON.stringify(fault ?? null) })),
    stats: async () => (await admin('stats', {})) as ServiceStats,
    stop,
  }
}

/** What the process says when it is ready, or in words why it will not be. */
function firstOf(child: ChildProcess, exited: Promise<string>): Promise<ServiceReady | string> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => resolve(`not ready after ${startWithinMs / 1_000} s`), startWithinMs)
    const settle = (value: ServiceReady | string): void => {
      clearTimeout(patience)
      resolve(value)
    }
    child.once('message', (message) => settle(message as ServiceReady))
    void exited.then(settle)
  })
}

/** The end of what the process wrote to its standard error. */
function lastText(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-keptErrorText)
  })
  return () => (text.trim() === '' ? '' : `: ${text.trim()}`)
}
