import type { DependencyView, Segment } from '@holdfast/server/wire'

/** The stretches of a history that was read a moment ago, up to the state that the live feed tells of now. */
export function upToPresent(segments: readonly Segment[], present: Pick<DependencyView, 'state' | 'since' | 'forced'>): readonly Segment[] {
  const last = segments.at(-1)
  const isForced = present.forced !== null
  if (last === undefined || last.to !== null || present.since <= last.from) return segments
  if (last.state === present.state && last.forced === isForced) return segments
  return [
    ...segments.slice(0, -1),
    { ...last, to: present.since },
    { from: present.since, to: null, state: present.state, forced: isForced },
  ]
}
