import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { CommandFailure } from '../exit-codes.ts'

/** How another command finds the demo that runs, and may speak to it. */
export interface RunningDemo {
  readonly pid: number
  readonly controlUrl: string
  readonly token: string
}

/** A folder only this user can read: the token lies in it. */
function folder(): string {
  return join(tmpdir(), `holdfast-demo-${userInfo().uid}`)
}

const file = (): string => join(folder(), 'running.json')

export async function rememberRunningDemo(demo: RunningDemo): Promise<void> {
  await mkdir(folder(), { recursive: true, mode: 0o700 })
  await rm(file(), { force: true })
  await writeFile(file(), JSON.stringify(demo), { mode: 0o600, flag: 'wx' })
}

/** Forgets the demo of this process; a later one may have taken its place. */
export async function forgetRunningDemo(pid: number): Promise<void> {
  const known = await readRunningDemo()
  if (known?.pid === pid) await rm(file(), { force: true })
}

/** @throws CommandFailure when none runs, or it refuses. */
export async function askRunningDemo(body: object): Promise<void> {
  const demo = await readRunningDemo()
  if (demo === undefined || !isAlive(demo.pid))
    throw new CommandFailure("no demo is running: start one with 'holdfast demo' (or 'npm start'), then ask again")
  const response = await fetch(`${demo.controlUrl}/api/v1/demo/faults`, {
    method: 'POST',
    headers: { authorization: `Bearer ${demo.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  }).catch((error: unknown) => {
    throw new CommandFailure(`the demo at ${demo.controlUrl} does not answer (${error instanceof Error ? error.message : String(error)})`)
  })
  if (response.ok) return
  const answer = (await response.json().catch(() => ({}))) as { readonly error?: { readonly message?: string } }
  throw new CommandFailure(`the demo refused: ${answer.error?.message ?? `status ${response.status}`}`)
}

async function readRunningDemo(): Promise<RunningDemo | undefined> {
  const text = await readFile(file(), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as RunningDemo
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
