import { describe, expect, it } from 'vitest'
import { timeout } from '../patterns/timeout/index.ts'
import { VirtualTime } from './virtual-time.ts'

describe('virtual time', () => {
  it('lets every promise settle before the next event, however long the chain is', async () => {
    const time = new VirtualTime(0)
    const log: string[] = []
    time.setTimer(() => {
      void (async () => {
        for (let link = 0; link < 500; link++) await Promise.resolve()
        log.push(`chain done at ${time.now()}`)
      })()
    }, 10)
    time.setTimer(() => log.push(`timer at ${time.now()}`), 10)
    time.setTimer(() => log.push(`timer at ${time.now()}`), 11)
    await time.run(100)
    expect(log).toEqual(['chain done at 10', 'timer at 10', 'timer at 11'])
    expect(time.now()).toBe(100)
  })

  it('runs real policies: a timeout gives up at its very millisecond', async () => {
    const time = new VirtualTime(1_000)
    const outcome = timeout({ after: '250ms', clock: time }).tryExecute(() => new Promise(() => undefined))
    let endedAt = -1
    void outcome.then(() => {
      endedAt = time.now()
    })
    await time.run(1_000)
    expect(endedAt).toBe(250)
    expect(time.wallNow()).toBe(2_000)
  })

  it('a cancelled timer does not fire, and one of an infinite delay never does', async () => {
    const time = new VirtualTime(0)
    let fired = 0
    const timer = time.setTimer(() => fired++, 5)
    time.setTimer(() => fired++, Infinity)
    timer.ref()
    timer.unref()
    timer.cancel()
    await time.run(1e9)
    expect(fired).toBe(0)
  })

  it('rejects with what a timer throws', async () => {
    const time = new VirtualTime(0)
    time.setTimer(() => {
      throw new RangeError('broken timer')
    }, 1)
    await expect(time.run(10)).rejects.toThrow('broken timer')
  })

  it('says so when timers of no delay set one another for ever', async () => {
    const time = new VirtualTime(0)
    const again = (): void => void time.setTimer(again, 0)
    again()
    await expect(time.run(10)).rejects.toThrow(/timers of no delay without end/)
  })
})
