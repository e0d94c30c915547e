import { expect, it } from 'vitest'
import { changesInWords } from './state-changes.ts'

it('S47: only what has changed is told, and what has just appeared has not changed', () => {
  const before = new Map([
    ['llm', 'closed'],
    ['search', 'open'],
  ])
  expect(changesInWords(before, new Map([...before, ['orders', 'open']]))).toBe('')
  expect(changesInWords(before, new Map([...before, ['llm', 'open']]))).toBe('llm is open.')
})

it('S47: many changes are counted', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const all = (state: string): Map<string, string> => new Map(names.map((name) => [name, state]))
  expect(changesInWords(all('closed'), all('open'))).toBe('a is open, b is open, c is open, d is open and 2 more have changed.')
})
