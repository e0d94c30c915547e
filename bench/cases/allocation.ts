import type { Case, FreshCase, TimedCase } from '../case.ts'
import { bytesPerOperation, roomForAllCalls } from '../fresh/memory.ts'

/** Rows that say what one call of another row allocates. */
export function allocationsOf(timed: readonly Case[], names: readonly string[]): readonly FreshCase[] {
  return timed.flatMap((subject) => (subject.kind === 'timed' && names.includes(subject.name) ? [allocationOf(subject)] : []))
}

function allocationOf(timed: TimedCase): FreshCase {
  return {
    kind: 'fresh',
    name: `${timed.name}-allocation`,
    title: `${timed.title}: allocated per call`,
    note: '',
    unit: 'bytes',
    ...(timed.page === undefined ? {} : { page: timed.page }),
    gates: [],
    nodeOptions: roomForAllCalls,
    contestants: async () => {
      const contestants = await timed.contestants()
      return contestants.map((contestant) => ({
        name: contestant.name,
        role: contestant.role,
        measure: () => bytesPerOperation(contestant),
      }))
    },
  }
}
