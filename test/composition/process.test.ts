import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'

/** What a program of its own process prints until it ends by itself. */
function printedBy(body: string): Promise<string> {
  const program = `
    import { bulkhead, fallback, pipeline, retry, timeout } from 'holdfast'
    const hang = () => new Promise(() => undefined)
    const print = (outcome) => console.log(outcome.error?.code ?? outcome.refusal?.code ?? outcome.value)
    ${body}
  `
  const args = ['--conditions=@holdfast/source', '--import', 'tsx', '--input-type=module', '--eval', program]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: import.meta.dirname, timeout: 25_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim())
      else reject(new Error(`the program failed: ${stderr}`, { cause: error }))
    })
  })
}

describe.concurrent('P12: a hung call in an otherwise idle process: it does not exit before the caller is told', () => {
  it.each([
    ['timeout alone', `timeout(200)`],
    ['timeout outside', `pipeline(fallback('x'), timeout(200), retry(), bulkhead({ maxConcurrent: 1 }))`],
    ['timeout inside', `pipeline(bulkhead({ maxConcurrent: 1 }), retry({ maxAttempts: 2, initialDelay: 50 }), timeout(100))`],
  ])('%s', async (_order, policy) => {
    const printed = await printedBy(`${policy}.tryExecute(hang).then(print)`)
    expect(printed).toBe(policy.includes('fallback') ? 'x' : 'ERR_TIMEOUT')
  })

  it('in a queue, by the longest wait, and by the deadline of the caller', async () => {
    const printed = await printedBy(`
      const places = bulkhead({ maxConcurrent: 1, maxQueued: 2, maxWait: 100 })
      places.tryAcquire()
      places.tryExecute(hang).then(print)
      pipeline(retry(), bulkhead({ maxConcurrent: 1 })).tryExecute(hang, { deadline: 300 }).then(print)
    `)
    expect(printed).toBe('ERR_BULKHEAD_WAIT\nERR_DEADLINE_EXCEEDED')
  })

  it('and exits by itself when nothing waits any more, although the work still hangs', async () => {
    const printed = await printedBy(`
      const guarded = pipeline(timeout('1h'), retry(), timeout(50), bulkhead({ maxConcurrent: 1 }))
      guarded.tryExecute((call) => (call.doNotRetry(), hang())).then(print)
    `)
    expect(printed).toBe('ERR_TIMEOUT')
  })
})
