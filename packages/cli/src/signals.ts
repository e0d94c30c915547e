const numbers = { SIGINT: 130, SIGTERM: 143 } as const

export type EndSignal = keyof typeof numbers

/** The exit code of a program that a signal ended. */
export function signalExitCode(signal: EndSignal): number {
  return numbers[signal]
}

/** The first signal that asks for an end. A second one ends the process at once. */
export function untilSignal(): { readonly first: Promise<EndSignal>; release(): void } {
  let count = 0
  let heard: (signal: EndSignal) => void = () => {}
  const first = new Promise<EndSignal>((resolve) => {
    heard = resolve
  })
  const listener = (signal: NodeJS.Signals): void => {
    if (count++ > 0) process.exit(signalExitCode(signal as EndSignal))
    heard(signal as EndSignal)
  }
  for (const signal of Object.keys(numbers)) process.on(signal, listener)
  return {
    first,
    release: () => {
      for (const signal of Object.keys(numbers)) process.off(signal, listener)
    },
  }
}
