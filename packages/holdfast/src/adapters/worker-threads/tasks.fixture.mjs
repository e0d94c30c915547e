// Tasks for the tests: plain JavaScript, since workers load it without any transformation.
import { threadId } from 'node:worker_threads'

let calls = 0

export const limit = 'no function'

/** @param {{ a: number, b: number }} input */
export function add({ a, b }) {
  return a + b
}

/** Which thread this is, and which call in it. */
export async function where() {
  return { threadId, call: ++calls }
}

/** @param {unknown} what */
export function fail(what) {
  if (what !== 'typed') throw what
  const cause = Object.assign(new Error('socket closed'), { code: 'ECONNRESET' })
  throw Object.assign(new RangeError('too large', { cause }), { status: 413, retry: () => true })
}

/** @param {string} name */
export function failNamed(name) {
  const error = new Error('own')
  error.name = name
  throw error
}

/**
 * Says that it has begun, and computes for ever.
 * @param {Int32Array} begun
 */
export function spin(begun) {
  Atomics.store(begun, 0, 1)
  for (;;) Atomics.load(begun, 0)
}

/**
 * Says that it has begun, and goes on when it is told.
 * @param {Int32Array} flags
 */
export function hold(flags) {
  Atomics.store(flags, 0, 1)
  Atomics.wait(flags, 1, 0)
  return threadId
}

export function exit() {
  process.exit(3)
}

export function crash() {
  setTimeout(() => {
    throw new Error('nobody caught this')
  })
  return new Promise(() => {})
}

export function fillMemory() {
  const kept = []
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })))
}

/** @param {ArrayBuffer} buffer */
export function size(buffer) {
  return buffer.byteLength
}

/**
 * @param {number} bytes
 * @param {{ transfer: (...objects: ArrayBuffer[]) => void }} job
 */
export function make(bytes, { transfer }) {
  const buffer = new ArrayBuffer(bytes)
  transfer(buffer)
  return buffer
}

export function functionOut() {
  return () => 1
}
