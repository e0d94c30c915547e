import { Worker } from 'node:worker_threads'
import { loadConfig, loadedConfig, type FailedConfig, type LoadConfigOptions, type LoadedConfig, type ReadConfig } from './load-config.ts'
import type { LoadTask } from './load-worker.ts'

/** Files of this many characters in all take about 20 ms to load: beyond it the program is not held up. */
export const longestAtOnce: number = 8_192

/**
 * Loads a configuration as {@link loadConfig} does, in a thread of its own, so that requests go on meanwhile. (From its TypeScript
 * source, which a thread cannot load by itself, it is loaded at once.)
 */
export async function loadConfigAside(path: string, { env, cwd = process.cwd() }: LoadConfigOptions): Promise<LoadedConfig | FailedConfig> {
  if (!import.meta.url.endsWith('.js')) return loadConfig(path, { env, cwd })
  const task: LoadTask = { path, env: { ...env }, cwd }
  const worker = new Worker(new URL('./load-worker.js', import.meta.url), { workerData: task, name: 'holdfast-config' })
  try {
    return loadedConfig(await answerOf(worker))
  } finally {
    void worker.terminate()
  }
}

function answerOf(worker: Worker): Promise<ReadConfig> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the thread that loads it ended (exit code ${code})`)))
  })
}
