import { expect, it } from 'vitest'
import { QuotaBucket } from './quota-bucket.ts'

function bucket(perSecond: number): { subject: QuotaBucket; readonly tick: (ms: number) => void } {
  let now = 0
  return {
    subject: new QuotaBucket({ perSecond, now: () => now }),
    tick: (ms) => {
      now += ms
    },
  }
}

it('grants a second’s worth at once, then what has come back', () => {
  const { subject, tick } = bucket(4)
  expect([1, 2, 3, 4, 5].map(() => subject.take(1).granted)).toEqual([true, true, true, true, false])
  tick(500) // two come back, one of them pays for the refused request
  expect(subject.take(1).granted).toBe(true)
  expect(subject.take(1).granted).toBe(false)
})

it('says how long to wait, and grants exactly then', () => {
  const { subject, tick } = bucket(2)
  subject.take(1)
  subject.take(1)
  expect(subject.take(1)).toEqual({ granted: false, retryAfterMs: 1_000 })
  tick(999)
  expect(subject.take(1).granted).toBe(false)
  tick(1_000)
  expect(subject.take(1).granted).toBe(true)
})

it('whoever keeps on sending faster than the limit stays locked out, and is served again after a bounded pause', () => {
  const { subject, tick } = bucket(4)
  for (let index = 0; index < 100; index++) {
    subject.take(1)
    tick(100)
  }
  expect(subject.take(1).granted).toBe(false)
  tick(1_250)
  expect(subject.take(1).granted).toBe(true)
})

it('a request larger than the burst is granted from a full bucket', () => {
  const { subject } = bucket(10)
  expect(subject.take(50).granted).toBe(true)
  expect(subject.take(1).granted).toBe(false)
})
