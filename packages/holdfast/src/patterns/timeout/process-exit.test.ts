import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'

interface Ended {
  readonly printed: string
  /** From the last statement of the program to its exit. */
  readonly lingeredMs: number
}

/** Runs a program in a process of its own, and waits until the process ends by itself. */
function runProgram(body: string): Promise<Ended> {
  const program = `
    import { pipeline, retry, timeout } from 'holdfast'
    const never = () => new Promise(() => undefined)
    ${body}
    const doneAt = performance.now()
    process.on('exit', () => console.log('lingered ' + (performance.now() - doneAt)))
  `
  const args = ['--conditions=@holdfast/source', '--import', 'tsx', '--input-type=module', '--eval', program]
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { timeout: 20_000, cwd: import.meta.dirname }, (error, output) => {
      const [, printed = '', lingered] = /^([^]*)lingered (.*)\n$/.exec(output) ?? []
      if (error !== null || lingered === undefined) reject(new Error(`the program failed: ${output}`, { cause: error }))
      else resolve({ printed: printed.trim(), lingeredMs: Number(lingered) })
    })
  })
}

describe.concurrent('a process of its own', () => {
  it('does not exit while a caller waits for a timeout, although nothing else keeps it', async () => {
    const { printed } = await runProgram(`
      const outcome = await timeout('100ms').tryExecute(never)
      console.log(outcome.error.code)
    `)
    expect(printed).toBe('ERR_TIMEOUT')
  })

  it("does not exit during a retry's delay, nor before a caller's deadline", async () => {
    const { printed } = await runProgram(`
      const failing = () => Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
      const repeat = retry({ maxAttempts: 2, initialDelay: '50ms', jitter: 'none' })
      console.log((await repeat.tryExecute(failing)).error.code, repeat.status().totalRetries)
      console.log((await repeat.tryExecute(never, { deadline: '50ms' })).error.code)
    `)
    expect(printed).toBe('ECONNRESET 1\nERR_DEADLINE_EXCEEDED')
  })

  it('75: exits at once when the calls have ended, long before their timeouts, deadlines and delays', async () => {
    const { printed, lingeredMs } = await runProgram(`
      const caller = new AbortController()
      const guarded = pipeline(timeout('1h'), retry({ initialDelay: '1h', maxDelay: '1h', jitter: 'none' }), timeout('10m'))
      console.log(await guarded.execute(({ signal }) => !signal.aborted, { deadline: '30m' }))
      const outcome = guarded.tryExecute(() => Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' })), { signal: caller.signal })
      await new Promise(setImmediate)
      caller.abort('left')
      console.log((await outcome).error)
    `)
    expect(printed).toBe('true\nleft')
    expect(lingeredMs).toBeLessThan(5_000) // not by a timer: the shortest of them has 10 minutes
  })
})
