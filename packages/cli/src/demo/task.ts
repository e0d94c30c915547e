import { seededRandom } from 'holdfast'
import { products } from './services/catalog.ts'

/** One thing a user of the agent wants done. */
export interface Task {
  /** Unique in a run, the same in both lanes. */
  readonly id: string
  readonly wish: string
}

export interface Arrival {
  readonly task: Task
  /** Since the start of the run. */
  readonly atMs: number
}

const places: readonly string[] = ['Lund', 'Tampere', 'Aarhus', 'Bergen', 'Tartu', 'Vaasa']

/**
 * The tasks of a run and when they arrive: a Poisson process, so users come by chance and do not wait for one another. The same
 * seed gives the same tasks at the same instants.
 */
export function* arrivals(seed: number, perSecond: number): Generator<Arrival, never> {
  const random = seededRandom(seed)
  const oneOf = (list: readonly string[]): string => list[Math.floor(random() * list.length)] as string
  let atMs = 0
  for (let number = 1; ; number++) {
    atMs += (-Math.log(1 - random()) / perSecond) * 1_000
    const quantity = 1 + Math.floor(random() * 9)
    yield {
      atMs,
      task: { id: `task-${number}`, wish: `Please order ${quantity} × ${oneOf(products)} for the clinic in ${oneOf(places)}.` },
    }
  }
}
