import { booleanOption, checkOptionNames } from '../../core/options.ts'

/** One hand for many circuit breakers: isolates all that were made with it, and all that will be. */
export interface CircuitControl {
  readonly isolated: boolean
  isolate(): void
  /** Lets each breaker go on from the state it was in. */
  close(): void
}

/** Makes a {@link CircuitControl}, to be handed to breakers as `control`. */
export function circuitControl(options: { readonly isolated?: boolean } = {}): CircuitControl {
  checkOptionNames('circuitControl', options, ['isolated'])
  let isolated = booleanOption('circuitControl', 'isolated', options.isolated ?? false)
  return {
    get isolated() {
      return isolated
    },
    isolate() {
      isolated = true
    },
    close() {
      isolated = false
    },
  }
}
