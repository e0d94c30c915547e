// The closing lines of `npm test`.

/**
 * @typedef {object} TestReport The parts of vitest's JSON report that are counted.
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {readonly { name: string, status: string, message?: string, assertionResults: readonly { status: string }[] }[]} testResults
 */

/**
 * `Tests: 12 passed, 0 failed`, with `, 3 skipped` when there are any. A file that could not run at all counts as one failure.
 * @param {TestReport} report
 */
export function closingLine(report) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const skipped = report.numPendingTests + report.numTodoTests
  const counts = `Tests: ${report.numPassedTests} passed, ${report.numFailedTests + brokenFiles.length} failed`
  return skipped > 0 ? `${counts}, ${skipped} skipped` : counts
}

/**
 * One line for each neighbour that tests had to do without.
 * @param {readonly { usedFor: string, missing: string }[]} absent
 */
export function absenceLines(absent) {
  return absent.map(({ usedFor, missing }) => `SKIPPED: ${usedFor}. ${missing}.`)
}
