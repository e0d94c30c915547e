import { afterEach, expect, it } from 'vitest'
import { runSoon } from './microtasks.ts'

const uncaught: unknown[] = []
const onUncaught = (error: unknown): void => void uncaught.push(error)
const others = process.listeners('uncaughtException')
afterEach(() => {
  process.off('uncaughtException', onUncaught)
  for (const listener of others) if (!process.listeners('uncaughtException').includes(listener)) process.on('uncaughtException', listener)
})

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

it('tasks run in the order of their calls, after the code that runs now', async () => {
  const log: string[] = []
  for (const name of ['a', 'b', 'c']) runSoon({ proceed: () => log.push(name) })
  expect(log).toEqual([])
  await Promise.resolve()
  expect(log).toEqual(['a', 'b', 'c'])
})

it('a task added by a task runs after those that waited before it, in the same microtask', async () => {
  const log: string[] = []
  runSoon({
    proceed: () => {
      log.push('first')
      runSoon({ proceed: () => log.push('added') })
    },
  })
  runSoon({ proceed: () => log.push('second') })
  await Promise.resolve()
  expect(log).toEqual(['first', 'second', 'added'])
})

it('a chain of 20,000 tasks, each adding the next, does not recurse', async () => {
  let depth = 0
  let deepest = 0
  let left = 20_000
  const link = {
    proceed: (): void => {
      deepest = Math.max(deepest, ++depth)
      if (--left > 0) runSoon(link)
      depth--
    },
  }
  runSoon(link)
  await Promise.resolve()
  expect(left).toBe(0)
  expect(deepest).toBe(1)
})

it('a task that throws is heard as an uncaught exception, and stops no other', async () => {
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', onUncaught)
  const broken = new Error('a broken layer')
  const log: string[] = []
  runSoon({
    proceed: () => {
      throw broken
    },
  })
  runSoon({ proceed: () => log.push('next') })
  await settle()
  expect(log).toEqual(['next'])
  expect(uncaught).toEqual([broken])
  runSoon({ proceed: () => log.push('later') })
  await settle()
  expect(log).toEqual(['next', 'later'])
})
