import { tallyOf } from './bucket-rows.ts'
import type { DependencyRecorder } from './dependency-recorder.ts'
import type { HistoryStore } from './history-store.ts'
import { bucketsPerRange, finestStepMs, resolutions } from './resolutions.ts'
import { maxStateChanges } from './state-timeline.ts'
import { Tally } from './tally.ts'

/** Gives recorders back what is stored of them. */
export function restore(store: HistoryStore, recorders: ReadonlyMap<string, DependencyRecorder>, at: number): void {
  resolutions.forEach(({ stepMs }, resolution) => {
    const now = Math.floor(at / stepMs)
    store.eachBucket({ resolution, from: now - bucketsPerRange }, (name, number, { bucket }) => {
      // later ones were written under a clock that was ahead; the fine one of now is not over
      if (number > now || (resolution === 0 && number === now)) return
      recorders.get(name)?.write(resolution, number, bucket)
    })
    if (resolution > 0) rebuild(store, recorders, resolution, at)
  })
  const present = Math.floor(at / finestStepMs)
  store.eachBucket({ resolution: 0, from: present, withLatencies: true }, (name, number, stored) => {
    if (number === present) recorders.get(name)?.resume(0, tallyOf(stored))
  })
  for (const [name, recorder] of recorders) recorder.timeline.restore(store.changes(name, maxStateChanges).filter(({ from }) => from <= at))
}

/** Coarse buckets that had not ended when the server did are put together from the fine ones, latencies and all. */
function rebuild(store: HistoryStore, recorders: ReadonlyMap<string, DependencyRecorder>, resolution: number, at: number): void {
  const stepMs = resolutions[resolution]?.stepMs as number
  const now = Math.floor(at / stepMs)
  const fineNow = Math.floor(at / finestStepMs)
  const from = Math.max((store.lastBucket(resolution) ?? 0) + 1, now - bucketsPerRange)
  const sums = new Map<string, { readonly recorder: DependencyRecorder; readonly number: number; readonly tally: Tally }>()
  store.eachBucket({ resolution: 0, from: (from * stepMs) / finestStepMs, withLatencies: true }, (name, fine, stored) => {
    const number = Math.floor((fine * finestStepMs) / stepMs)
    const recorder = recorders.get(name)
    // the fine bucket that has not ended is added when it has
    if (recorder === undefined || number > now || fine >= fineNow) return
    const key = `${number} ${name}`
    const sum = sums.get(key) ?? { recorder, number, tally: new Tally() }
    sum.tally.add(tallyOf(stored))
    sums.set(key, sum)
  })
  for (const { recorder, number, tally } of sums.values()) {
    if (number === now) recorder.resume(resolution, tally)
    else recorder.write(resolution, number, tally.toBucket())
  }
}
