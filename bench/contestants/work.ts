/** How often the protected work was done. */
export const worked = { calls: 0 }

/** The protected work: a function that is as cheap as an asynchronous one can be. */
export async function work(): Promise<number> {
  worked.calls++
  return 1
}

/** The same, looking at its signal as cancellable work does. */
export async function workWithSignal({ signal }: { readonly signal: AbortSignal }): Promise<number> {
  worked.calls++
  return signal.aborted ? 0 : 1
}
