import { getEventListeners } from 'node:events'
import { beforeEach, describe, expect, it } from 'vitest'
import { abortReason, listenAbort, unlistenAbort, type Abortable } from './abort-hub.ts'
import { countListeners, type ListenerCount } from './listener-count.fixture.ts'

class Hearer implements Abortable {
  readonly heard: unknown[] = []
  readonly then: (() => void) | undefined
  constructor(then?: () => void) {
    this.then = then
  }
  cancel(reason: unknown): void {
    this.heard.push(reason)
    this.then?.()
  }
}

let controller: AbortController
let signal: AbortSignal
let count: ListenerCount
beforeEach(() => {
  controller = new AbortController()
  signal = controller.signal
  count = countListeners(signal)
})

describe('the listener on a shared signal', () => {
  it('is one, however many wait', () => {
    const hearers = Array.from({ length: 1_000 }, () => new Hearer())
    for (const hearer of hearers) listenAbort(signal, hearer)
    expect(getEventListeners(signal, 'abort').length).toBe(1)
    controller.abort('left')
    expect(hearers.every(({ heard }) => heard.length === 1 && heard[0] === 'left')).toBe(true)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('leaves with the last who waits, and comes back with the next: as many are removed as were added', () => {
    for (let round = 0; round < 10; round++) {
      const [one, other] = [new Hearer(), new Hearer()]
      listenAbort(signal, one)
      listenAbort(signal, other)
      unlistenAbort(signal, one)
      expect(getEventListeners(signal, 'abort').length).toBe(1)
      unlistenAbort(signal, other)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }
    expect(count).toEqual({ added: 10, removed: 10 })
  })

  it('is taken off once, however often somebody leaves, or leaves who never came', () => {
    const hearer = new Hearer()
    unlistenAbort(signal, hearer)
    listenAbort(signal, hearer)
    unlistenAbort(signal, hearer)
    unlistenAbort(signal, hearer)
    expect(count).toEqual({ added: 1, removed: 1 })
  })

  it('of another signal is another', () => {
    const other = new AbortController()
    const hearer = new Hearer()
    listenAbort(other.signal, hearer)
    controller.abort('left')
    expect(hearer.heard).toEqual([])
    unlistenAbort(other.signal, hearer)
    expect(getEventListeners(other.signal, 'abort')).toEqual([])
  })
})

it('those who leave while others are told hear nothing', () => {
  const last = new Hearer()
  const first = new Hearer(() => unlistenAbort(signal, last))
  listenAbort(signal, first)
  listenAbort(signal, last)
  controller.abort('left')
  expect(first.heard).toEqual(['left'])
  expect(last.heard).toEqual([])
  expect(count.removed).toBe(count.added)
})

it('an abort without a reason has one all the same, also that of a polyfill that knows none', () => {
  controller.abort()
  expect(abortReason(signal)).toMatchObject({ name: 'AbortError' })
  expect(abortReason({ aborted: true } as AbortSignal)).toMatchObject({ name: 'AbortError' })
  expect(abortReason(AbortSignal.abort(null))).toBeNull()
})
