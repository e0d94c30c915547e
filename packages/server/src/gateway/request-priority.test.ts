import { expect, it } from 'vitest'
import { requestPriority } from './request-priority.ts'

it.each([
  ['HIGH', 'high'],
  [' critical ', 'critical'],
  ['low', 'low'],
  ['u=0', 'critical'],
  ['u=1, i', 'critical'],
  ['i, u=2', 'high'],
  ['u=3', 'normal'],
  ['u=7', 'low'],
  ['u=8', 'normal'],
  ['xu=1', 'normal'],
  ['highest', 'normal'],
  ['', 'normal'],
  [undefined, 'normal'],
])('a header that says %j makes a request %s', (value, priority) => {
  expect(requestPriority('header:x-priority', (name) => (name === 'x-priority' ? value : 'critical'))).toBe(priority)
})

it('a fixed priority asks no header', () => {
  expect(requestPriority('high', () => 'low')).toBe('high')
})
