import { timeout } from 'holdfast'
import { fakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'

const never = (): Promise<never> => new Promise(() => undefined)

it('gives calls under way the time they began with, and later ones the new time', async () => {
  const clock = fakeClock()
  const limit = timeout({ after: '10s', clock })
  const ended: string[] = []
  void limit.tryExecute(never).then(() => ended.push('early'))
  limit.reconfigure({ after: '1s' })
  const late = limit.tryExecute(never)
  void late.then(() => ended.push('late'))
  await clock.advance('1s')
  expect(ended).toEqual(['late'])
  expect(await late).toMatchObject({ error: { code: 'ERR_TIMEOUT', message: 'timeout: no answer within 1000 ms' } })
  await clock.advance('9s')
  expect(ended).toEqual(['late', 'early'])
  expect(limit.status()).toMatchObject({ afterMs: 1_000, timeouts: 2 })
})

it('leaves no timer of a call that answered after the change', async () => {
  const clock = fakeClock()
  const limit = timeout({ after: '10s', clock })
  let answer = (_value: string): void => undefined
  const call = limit.execute(() => new Promise<string>((resolve) => (answer = resolve)))
  limit.reconfigure({ after: '20s' })
  answer('in time')
  expect(await call).toBe('in time')
  expect(clock.timers.filter(({ ref }) => ref)).toEqual([])
})

it('changes nothing when the time is wrong', () => {
  const limit = timeout('2s')
  expect(() => limit.reconfigure({ after: 0 })).toThrow("option 'after'")
  expect(limit.afterMs).toBe(2_000)
})
