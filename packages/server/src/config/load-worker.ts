import { parentPort, workerData } from 'node:worker_threads'
import { readConfig, type LoadConfigOptions } from './load-config.ts'

/** What the thread is told. */
export interface LoadTask extends LoadConfigOptions {
  readonly path: string
}

const { path, ...options } = workerData as LoadTask
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
parentPort?.postMessage(readConfig(path, options))
