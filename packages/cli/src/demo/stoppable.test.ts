import { expect, it } from 'vitest'
import { stoppable } from './stoppable.ts'

function untilAborted(_input: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const end = (): void => resolve('aborted')
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

it('stopping aborts everything that runs and everything that is begun later', async () => {
  const work = stoppable(untilAborted)
  const running = [work.run('a'), work.run('b')]
  work.stop()
  expect(await Promise.all([...running, work.run('c')])).toEqual(['aborted', 'aborted', 'aborted'])
})

it('work that has ended is not aborted any more', async () => {
  const signals: AbortSignal[] = []
  const work = stoppable(async (_input: string, signal: AbortSignal) => void signals.push(signal))
  await work.run('a')
  work.stop()
  expect(signals.map(({ aborted }) => aborted)).toEqual([false])
})
