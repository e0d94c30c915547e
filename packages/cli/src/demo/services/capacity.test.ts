import { expect, it } from 'vitest'
import { capacity, type Place } from './capacity.ts'

const stays = (): AbortSignal => new AbortController().signal

it('places are given at once, then in order of arrival; a full queue turns away', async () => {
  const subject = capacity(1, 2)
  const first = (await subject.enter(stays())) as Place
  const order: string[] = []
  const second = subject.enter(stays()).then((place) => (order.push('second'), place as Place))
  const third = subject.enter(stays()).then((place) => (order.push('third'), place as Place))
  expect(await subject.enter(stays())).toBeUndefined()
  first.leave()
  ;(await second).leave()
  ;(await third).leave()
  expect(order).toEqual(['second', 'third'])
  expect([subject.busy, subject.queued]).toEqual([0, 0])
})

it('who leaves the queue takes no place', async () => {
  const subject = capacity(1, 5)
  const first = (await subject.enter(stays())) as Place
  const client = new AbortController()
  const gone = subject.enter(client.signal)
  const next = subject.enter(stays())
  client.abort()
  await expect(gone).rejects.toMatchObject({ name: 'AbortError' })
  first.leave()
  expect(await next).toBeDefined()
  expect([subject.busy, subject.queued]).toEqual([1, 0])
})

it('leaving twice frees one place only', async () => {
  const subject = capacity(2, 0)
  const first = (await subject.enter(stays())) as Place
  await subject.enter(stays())
  first.leave()
  first.leave()
  expect(subject.busy).toBe(1)
})
