import { expect, it } from 'vitest'
import { isLoopback, statusMatcher } from './http-syntax.ts'

it('matches statuses and classes of them, but never the excepted ones', () => {
  const matches = statusMatcher(['5xx', 408, '4xx'], [429])
  expect([200, 399, 400, 408, 428, 429, 499, 500, 599].filter(matches)).toEqual([400, 408, 428, 499, 500, 599])
  expect([0, 99, 600, 1_000, Number.NaN, -1].filter(statusMatcher(['5xx', '1xx']))).toEqual([])
})

it('knows which hosts only this machine reaches', () => {
  expect(['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'LOCALHOST', '::ffff:127.0.0.1', 'a.localhost'].every(isLoopback)).toBe(true)
  expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.example.com', '127.0.0.1.example.com', '1270.0.0.1', ''].some(isLoopback)).toBe(false)
})
