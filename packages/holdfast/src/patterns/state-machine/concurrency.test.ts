import { stateMachine, type StateMachine } from 'holdfast'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** A ring of three states whose hooks end when the test says so, in the order of their keys. */
function ring(log: string[]): { readonly machine: StateMachine<'a' | 'b' | 'c', 'next' | 'stop'>; readonly hooks: (() => void)[] } {
  const hooks: (() => void)[] = []
  const slow = (what: string) => (): Promise<void> => {
    log.push(`${what} begins`)
    return new Promise<void>((resolve) => hooks.push(resolve)).then(() => void log.push(`${what} ends`))
  }
  const machine = stateMachine({
    initial: 'a',
    states: { a: { onEnter: slow('a'), onExit: slow('not a') }, b: { onEnter: slow('b') }, c: {} },
    transitions: [
      { from: 'a', to: 'b', event: 'next' },
      { from: 'b', to: 'c', event: 'next' },
      { from: 'c', to: 'a', event: 'next' },
      { from: ['a', 'b', 'c'], to: 'a', event: 'stop' },
    ],
  })
  return { machine, hooks }
}

async function finishHooks(hooks: (() => void)[]): Promise<void> {
  for (let idle = 0; idle < 10; idle++) {
    while (hooks.length > 0) {
      hooks.shift()?.()
      idle = 0
    }
    await Promise.resolve()
  }
}

describe('triggers at the same time', () => {
  it('115: are handled one after the other, in the order in which they came', async () => {
    const log: string[] = []
    const { machine, hooks } = ring(log)
    const answers = [machine.trigger('next'), machine.trigger('next'), machine.trigger('next')]
    expect(machine.status()).toMatchObject({ busy: true, pending: 2, state: 'a' })
    await finishHooks(hooks)
    expect(await Promise.all(answers)).toEqual(['b', 'c', 'a'])
    expect(log).toEqual(['not a begins', 'not a ends', 'b begins', 'b ends', 'a begins', 'a ends'])
  })

  it('115: whatever the order in which callers come and hooks end, hooks never overlap and every caller hears', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('next', 'stop', 'hook', 'tick'), { maxLength: 40, size: 'max' }), async (script) => {
        const log: string[] = []
        const { machine, hooks } = ring(log)
        const answers: Promise<unknown>[] = []
        for (const step of script) {
          if (step === 'hook') hooks.shift()?.()
          else if (step === 'tick') await Promise.resolve()
          else answers.push(machine.trigger(step))
        }
        await finishHooks(hooks)
        const states = await Promise.all(answers)
        expect(states.at(-1) ?? 'a').toBe(machine.currentState)
        for (let index = 0; index < log.length; index += 2) expect(log[index]?.replace('begins', 'ends')).toBe(log[index + 1])
        expect(machine.status()).toMatchObject({ busy: false, pending: 0 })
        let state = 'a'
        for (const { from, to } of machine.history().slice(-16)) {
          if (machine.history().length < 16) expect(from).toBe(state)
          state = to
        }
      }),
    )
  })

  it('a failed transition does not stop those that wait behind it', async () => {
    let calls = 0
    const machine = stateMachine({
      initial: 'a',
      states: { a: {}, b: {} },
      transitions: [
        {
          from: 'a',
          to: 'b',
          event: 'go',
          action: async () => {
            await Promise.resolve()
            if (++calls === 1) throw new Error('first')
          },
        },
      ],
    })
    const first = machine.trigger('go')
    const second = machine.trigger('go')
    await expect(first).rejects.toThrow('first')
    expect(await second).toBe('b')
  })

  it('beyond maxPending are refused, and nothing is lost of the others', async () => {
    let end = (): void => undefined
    const machine = stateMachine({
      initial: 'a',
      states: { a: {}, b: { onEnter: () => new Promise<void>((resolve) => (end = resolve)) } },
      transitions: [
        { from: 'a', to: 'b', event: 'go' },
        { from: 'b', to: 'a', event: 'back' },
      ],
      maxPending: 1,
    })
    const entering = machine.trigger('go')
    const back = machine.trigger('back')
    await expect(machine.trigger('go')).rejects.toMatchObject({ code: 'ERR_TRANSITION_BUSY' })
    expect(() => machine.send('back')).toThrow(expect.objectContaining({ code: 'ERR_TRANSITION_BUSY' }))
    end()
    expect(await Promise.all([entering, back])).toEqual(['b', 'a'])
  })

  it('send does not wait for a hook that takes its time; the next trigger does', async () => {
    const log: string[] = []
    const { machine, hooks } = ring(log)
    expect(machine.send('next')).toBe('a')
    const stopped = machine.trigger('stop')
    await finishHooks(hooks)
    expect(await stopped).toBe('a')
    expect(log.slice(0, 4)).toEqual(['not a begins', 'not a ends', 'b begins', 'b ends'])
  })
})

describe('triggers from within', () => {
  it('115: what a hook raises happens right after, before those who wait', async () => {
    const order: string[] = []
    const machine = stateMachine({
      initial: 'a',
      states: {
        a: {},
        b: { onEnter: ({ raise }) => raise('check') },
        c: { onEnter: async () => order.push('c') },
        d: { onEnter: () => order.push('d') },
      },
      transitions: [
        { from: 'a', to: 'b', event: 'go' },
        { from: 'b', to: 'c', event: 'check' },
        { from: 'c', to: 'd', event: 'end' },
      ],
    })
    const ended = machine.trigger('go').then(() => machine.trigger('end'))
    expect(await ended).toBe('d')
    expect(order).toEqual(['c', 'd'])
  })

  it('a trigger that a hook answers with is queued, and not waited for', async () => {
    const machine: StateMachine<'a' | 'b' | 'c', 'go' | 'on'> = stateMachine({
      initial: 'a',
      states: { a: {}, b: { onEnter: (): unknown => machine.trigger('on') }, c: {} },
      transitions: [
        { from: 'a', to: 'b', event: 'go' },
        { from: 'b', to: 'c', event: 'on' },
      ],
    })
    expect(await machine.trigger('go')).toBe('b')
    await Promise.resolve()
    expect(machine.currentState).toBe('c')
  })

  it('a listener may trigger', async () => {
    const machine = stateMachine({
      initial: 'a',
      states: { a: {}, b: { onEnter: () => Promise.resolve() }, c: {} },
      transitions: [
        { from: 'a', to: 'b', event: 'go' },
        { from: 'b', to: 'c', event: 'on' },
      ],
    })
    const done = new Promise<string>((resolve) => {
      machine.on((event) => {
        if (event.type === 'state.entered' && event.to === 'b') resolve(machine.trigger('on'))
      })
    })
    await machine.trigger('go')
    expect(await done).toBe('c')
  })
})
