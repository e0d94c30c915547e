import { hasColors } from '../output.ts'
import { signalExitCode, untilSignal, type EndSignal } from '../signals.ts'
import { startDemo, type Demo, type DemoOptions } from './orchestrator.ts'
import { demoTerminal } from './terminal.ts'

export interface RunDemoOptions extends DemoOptions {
  readonly stdout: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
  /** Lines under the title, e.g. where the page is; read anew for each frame. */
  readonly notes?: readonly string[]
  /** Runs when the demo does, e.g. to show it on the page; what it returns runs at the end. */
  readonly attach?: (demo: Demo) => () => void
}

/**
 * Runs the demo in the terminal until its script is over or somebody ends it, and stops every process it started. Answers the
 * exit code. Tasks of the bare lane cannot be stopped: some may still wait for their SDK's next attempt, so the caller has to
 * end the process.
 * @throws Error in one sentence when a service does not start, or crashes.
 */
export async function runDemo(options: RunDemoOptions): Promise<number> {
  const signal = untilSignal()
  try {
    const started = startDemo(options)
    const early = await Promise.race([started.then(() => undefined), signal.first])
    const demo = await started
    if (early === undefined) return await follow(demo, signal.first, options)
    await demo.stop()
    return signalExitCode(early)
  } finally {
    signal.release()
  }
}

async function follow(demo: Demo, signal: Promise<EndSignal>, { stdout, env, notes, attach }: RunDemoOptions): Promise<number> {
  const redraws = stdout.isTTY && env['TERM'] !== 'dumb'
  const terminal = demoTerminal({ stream: stdout, color: hasColors(stdout, env), redraws, ...(notes === undefined ? {} : { notes }) })
  const detach = attach?.(demo)
  const stopShowing = demo.onSecond((snapshot) => terminal.show(snapshot))
  const end = await Promise.race([demo.ended, signal])
  stopShowing()
  terminal.finish(demo.snapshot())
  detach?.()
  await demo.stop()
  if (typeof end === 'string') return signalExitCode(end)
  if (end.reason === 'service crashed') throw new Error(`${end.message}; everything else has been stopped`)
  return 0
}
