import type { PolicyView } from '@holdfast/server/wire'
import { policies } from '../live/store.ts'

/** The policies of ids that are known now, in their order. */
export function pipelineOf(ids: readonly string[]): readonly PolicyView[] {
  return ids.map((id) => policies.value[id]).filter((policy) => policy !== undefined)
}
