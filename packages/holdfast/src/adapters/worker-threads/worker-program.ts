/** What a worker answers to a job. */
export type WorkerAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ErrorRecord }
  | { readonly ok: false; readonly unknownTask: readonly string[] }

/** An error on its way between threads, where a plain copy would lose its class, its `code` and all else that was added to it. */
export interface ErrorRecord {
  /** Absent: what was thrown is no error but `thrown`. */
  readonly message?: string
  readonly name?: string
  readonly stack?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: ErrorRecord
  readonly thrown?: unknown
}

/**
 * The program of a worker. It is a text, and not a file of its own, because bundlers leave such files behind and a worker does
 * not start from TypeScript. It loads the user's module once, and does one job after the other.
 */
export const workerProgram: string = `
const { parentPort, workerData } = require('node:worker_threads')

const canTravel = (value) => {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

const record = (error, depth) => {
  if (!(error instanceof Error)) return { thrown: canTravel(error) ? error : String(error) }
  const details = {}
  for (const key of Object.keys(error)) if (key !== 'cause' && canTravel(error[key])) details[key] = error[key]
  const cause = error.cause === undefined || depth === 0 ? {} : { cause: record(error.cause, depth - 1) }
  return { message: error.message, name: error.name, stack: error.stack, details, ...cause }
}

const loading = import(workerData.module)
loading.catch(() => {}) // every job hears of it

const work = async ({ task, input }) => {
  const tasks = await loading
  const run = Object.hasOwn(tasks, task) ? tasks[task] : undefined
  if (typeof run !== 'function') {
    return [{ ok: false, unknownTask: Object.keys(tasks).filter((name) => typeof tasks[name] === 'function') }, []]
  }
  const transferred = []
  const value = await run(input, { transfer: (...objects) => void transferred.push(...objects) })
  return [{ ok: true, value }, transferred]
}

parentPort.on('message', async (job) => {
  try {
    parentPort.postMessage(...(await work(job)))
  } catch (error) {
    parentPort.postMessage({ ok: false, error: record(error, 5) })
  }
})
`
