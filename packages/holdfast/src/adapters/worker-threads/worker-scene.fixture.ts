import { workerCompartment, type WorkerCompartment, type WorkerCompartmentOptions } from './index.ts'
import type * as tasks from './tasks.fixture.mjs'

export type Tasks = typeof tasks

const made: AsyncDisposable[] = []

/** A compartment with the tasks of the fixture; {@link endAll} ends it. */
export function compartment(options: Partial<WorkerCompartmentOptions> = {}): WorkerCompartment<Tasks> {
  const workers = workerCompartment<Tasks>({ module: new URL('tasks.fixture.mjs', import.meta.url), maxWorkers: 1, ...options })
  made.push(workers)
  return workers
}

export async function endAll(): Promise<void> {
  await Promise.all(made.splice(0).map((workers) => workers[Symbol.asyncDispose]()))
}

/** Flags shared with a worker: it sets the first, and waits for the second. */
export function sharedFlags(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8))
}

export async function begun(flags: Int32Array): Promise<void> {
  while (Atomics.load(flags, 0) === 0) await new Promise(setImmediate)
}

export function letGo(flags: Int32Array): void {
  Atomics.store(flags, 1, 1)
  Atomics.notify(flags, 1)
}

/** Waits for something that another thread brings about. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate)
}
