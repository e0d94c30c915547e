import { expect, it } from 'vitest'
import { absenceLines, closingLine } from '../../tools/test-summary.mjs'

const report = { numPassedTests: 12, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] }
const file = (status: string, ...tests: readonly string[]): { name: string; status: string; assertionResults: { status: string }[] } => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((test) => ({ status: test })),
})

it('counts passed and failed tests in one line', () => {
  expect(closingLine(report)).toBe('Tests: 12 passed, 0 failed')
  expect(closingLine({ ...report, numFailedTests: 2, testResults: [file('failed', 'passed', 'failed', 'failed')] })).toBe(
    'Tests: 12 passed, 2 failed',
  )
})

it('adds skipped and planned tests when there are any', () => {
  expect(closingLine({ ...report, numPendingTests: 2, numTodoTests: 1 })).toBe('Tests: 12 passed, 0 failed, 3 skipped')
})

it('counts a file that could not run as a failure', () => {
  expect(closingLine({ ...report, testResults: [file('failed'), file('passed', 'passed')] })).toBe('Tests: 12 passed, 1 failed')
})

it('has a form that stands alone on a line: a word with a colon, then counts', () => {
  expect(closingLine({ ...report, numPendingTests: 1 })).toMatch(/^\w+: \d+ passed, \d+ failed, \d+ skipped$/)
})

it('says for each neighbour that is absent what went untested, and why', () => {
  expect(absenceLines([{ usedFor: 'scraping', missing: 'Prometheus is not on the PATH' }])).toEqual([
    'SKIPPED: scraping. Prometheus is not on the PATH.',
  ])
})
