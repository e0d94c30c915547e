import { beforeEach, describe, expect, it } from 'vitest'
import { expectNoUnhandledRejection } from '../../../../test/support/unhandled-rejections.ts'
import { EventHub, maxWaitingEvents, type PolicyEvent } from './events.ts'

interface Numbered extends PolicyEvent {
  readonly number: number
}

function event(number: number): Numbered {
  return { type: 'test.happened', policy: 'test', at: 0, number }
}

function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

let hub: EventHub<Numbered>
beforeEach(() => {
  hub = new EventHub()
})

expectNoUnhandledRejection()

describe('delivery', () => {
  it('is not inside the call that caused the event, and in order', async () => {
    const heard: number[] = []
    hub.on(({ number }) => heard.push(number))
    hub.emit(event(1))
    hub.emit(event(2))
    expect(heard).toEqual([])
    await settle()
    expect(heard).toEqual([1, 2])
  })

  it('20: keeps the order for a listener that answers later, one event at a time', async () => {
    const log: string[] = []
    hub.on(async ({ number }) => {
      log.push(`begin ${number}`)
      await settle()
      log.push(`end ${number}`)
    })
    for (const number of [1, 2, 3]) hub.emit(event(number))
    while (log.length < 6) await settle()
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3'])
  })

  it('does not keep one listener waiting for another', async () => {
    const heard: number[] = []
    hub.on(() => new Promise(() => undefined))
    hub.on(({ number }) => heard.push(number))
    for (const number of [1, 2, 3]) hub.emit(event(number))
    await settle()
    expect(heard).toEqual([1, 2, 3])
  })

  it('19: of events that a listener causes comes after those that happened before', async () => {
    const heard: number[] = []
    hub.on(({ number }) => {
      heard.push(number)
      if (number < 3) hub.emit(event(number + 10))
    })
    hub.emit(event(1))
    hub.emit(event(2))
    await settle()
    expect(heard).toEqual([1, 2, 11, 12])
  })

  it('goes to a listener as often as it was added', async () => {
    let heard = 0
    const listener = (): void => void heard++
    hub.on(listener)
    hub.on(listener)
    hub.emit(event(1))
    await settle()
    expect(heard).toBe(2)
  })
})

describe('18: a listener that fails', () => {
  const failing: Record<string, () => unknown> = {
    'by throwing': () => {
      throw new Error('listener')
    },
    'by rejecting': () => Promise.reject(new Error('listener')),
    'by a hostile then': () => ({
      // oxlint-disable-next-line unicorn/no-thenable
      get then() {
        throw new Error('listener')
      },
    }),
  }
  it.each(Object.entries(failing))('%s hears the next event all the same, and harms nobody', async (_how, fail) => {
    const heard: number[] = []
    hub.on(({ number }) => {
      heard.push(number)
      return fail()
    })
    hub.emit(event(1))
    hub.emit(event(2))
    for (let turn = 0; turn < 5; turn++) await settle()
    expect(heard).toEqual([1, 2])
  })

  it('by never settling holds a bounded number of events, and misses the oldest beyond it', async () => {
    const heard: number[] = []
    let go = (): void => undefined
    hub.on(({ number }) => {
      heard.push(number)
      if (number !== 0) return undefined
      return new Promise<void>((resolve) => {
        go = resolve
      })
    })
    hub.emit(event(0))
    await settle()
    for (let number = 1; number <= maxWaitingEvents + 5; number++) hub.emit(event(number))
    go()
    await settle()
    expect(heard.length).toBe(1 + maxWaitingEvents)
    expect(heard[1]).toBe(6)
    expect(heard.at(-1)).toBe(maxWaitingEvents + 5)
  })

  it('that is no function is refused at once', () => {
    expect(() => hub.on('log' as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: 'a listener must be a function, got "log"' }),
    )
    expect(hub.active).toBe(false)
  })
})

describe('a listener that has been taken off', () => {
  it('hears nothing more, not even what was under way', async () => {
    const heard: number[] = []
    const end = hub.on(({ number }) => heard.push(number))
    hub.emit(event(1))
    end()
    await settle()
    expect(heard).toEqual([])
  })

  it('while it is being told hears no further event', async () => {
    const heard: number[] = []
    const end = hub.on(({ number }) => {
      heard.push(number)
      end()
    })
    hub.emit(event(1))
    hub.emit(event(2))
    await settle()
    expect(heard).toEqual([1])
  })

  it('leaves those that stay alone, and may be taken off twice', async () => {
    const heard: string[] = []
    const end = hub.on(() => heard.push('first'))
    hub.on(() => heard.push('second'))
    end()
    end()
    hub.emit(event(1))
    await settle()
    expect(heard).toEqual(['second'])
  })

  it('makes events free again when it was the last', () => {
    expect(hub.active).toBe(false)
    const end = hub.on(() => undefined)
    expect(hub.active).toBe(true)
    end()
    expect(hub.active).toBe(false)
  })

  it('added while an event is being told hears only later ones', async () => {
    const heard: number[] = []
    hub.on(({ number }) => {
      if (number === 1) hub.on((later) => heard.push(later.number))
    })
    hub.emit(event(1))
    await settle()
    hub.emit(event(2))
    await settle()
    expect(heard).toEqual([2])
  })
})
