import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PolicyEvent } from 'holdfast'
import { faultTolerantSystem, type FaultTolerantSystem } from 'holdfast/system'
import { fakeClock, type FakeClock } from 'holdfast/testing'
import { AuditLog } from '../audit/index.ts'
import { ForcedStates } from './forced-states.ts'
import { Silences } from './silences.ts'

/** One run of a server's changes, without the server. */
export interface ChangesRun {
  readonly system: FaultTolerantSystem
  readonly audit: AuditLog
  readonly forced: ForcedStates
  readonly silences: Silences
  readonly events: PolicyEvent[]
  readonly unrecorded: unknown[]
  /** Names of breakers, and of dependencies as well. */
  readonly names: Set<string>
  end(): void
}

/** A folder and a clock that outlive the runs. */
export class ChangesScene {
  readonly clock: FakeClock = fakeClock()
  private readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-changes-'))
  private readonly runs: ChangesRun[] = []

  /** Starts anew, as after a restart, with circuit breakers of these names. */
  start(...names: readonly string[]): ChangesRun {
    const { clock } = this
    const system = faultTolerantSystem({ clock })
    for (const name of names) system.createCircuitBreaker(name)
    const audit = new AuditLog(join(this.folder, 'audit.db'), { wallNow: () => clock.wallNow() })
    const events: PolicyEvent[] = []
    const unrecorded: unknown[] = []
    const dependencies = new Set(names)
    const shared = {
      audit,
      emit: (event: PolicyEvent) => void events.push(event),
      onUnrecorded: (error: unknown) => void unrecorded.push(error),
    }
    const forced = new ForcedStates({ system, ...shared })
    const silences = new Silences({ clock, dependencies: () => dependencies, ...shared })
    const end = (): void => {
      forced.dispose()
      silences.dispose()
      audit.close()
      system.dispose()
    }
    const run = { system, audit, forced, silences, events, unrecorded, names: dependencies, end }
    this.runs.push(run)
    return run
  }

  dispose(): void {
    for (const run of this.runs) run.end()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export const actor = { who: 'ops', address: '10.0.0.1' }
