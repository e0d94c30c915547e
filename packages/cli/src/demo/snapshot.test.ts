import { expect, it } from 'vitest'
import { demoSnapshot } from './demo-snapshot.fixture.ts'

it('a snapshot survives JSON unchanged', () => {
  const snapshot = demoSnapshot()
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
})
