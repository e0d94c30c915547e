import { expect, it } from 'vitest'
import { connectionState } from './connection.ts'

it.each([
  [null, false, 'connecting'],
  [null, true, 'connecting'],
  [1_000, false, 'live'],
  [0, true, 'reconnecting'],
  [4_000, false, 'reconnecting'],
  [10_000, false, 'stale'],
  [60_000, true, 'stale'],
] as const)('S48: silent for %s ms, broken %s: %s', (silentForMs, isBroken, state) => {
  expect(connectionState(silentForMs, isBroken)).toBe(state)
})
