import { fallback } from 'holdfast'
import { expect, it } from 'vitest'

const down = (): Promise<never> => Promise.reject(new Error('down'))

it('answers with the new value or function, and keeps its figures', async () => {
  const policy = fallback<unknown>({ value: 'first' })
  expect(await policy.execute(down)).toBe('first')
  policy.reconfigure({ handler: (error) => `for ${(error as Error).message}` })
  expect(await policy.execute(down)).toBe('for down')
  policy.reconfigure({ value: undefined })
  expect(await policy.execute(down)).toBeUndefined()
  expect(policy.status()).toMatchObject({ used: 3, failed: 0 })
})

it('answers only what the new condition lets through', async () => {
  const policy = fallback<unknown>({ value: 1, when: () => false })
  await expect(policy.execute(down)).rejects.toThrow('down')
  policy.reconfigure({ value: 1 })
  expect(await policy.execute(down)).toBe(1)
  expect(policy.describe()).toMatchObject({ answers: 'value', conditional: false })
})

it('changes nothing when a setting is wrong', async () => {
  const policy = fallback<unknown>({ value: 'first' })
  expect(() => policy.reconfigure({ value: 1, handler: () => 2 })).toThrow("option 'handler'")
  expect(() => policy.reconfigure({})).toThrow("option 'handler'")
  expect(await policy.execute(down)).toBe('first')
})
