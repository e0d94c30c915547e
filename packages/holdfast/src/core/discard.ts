/** Frees a result that nobody will see: cancels a response's body, disposes of what is disposable. Failures of that are nobody's. */
export function discard(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  try {
    const { body } = value as { body?: { cancel?: () => unknown; locked?: boolean } | null }
    if (body !== undefined && body !== null && typeof body.cancel === 'function' && body.locked !== true) swallow(body.cancel())
    else if (Symbol.asyncDispose in value) swallow((value as AsyncDisposable)[Symbol.asyncDispose]())
    else if (Symbol.dispose in value) (value as Disposable)[Symbol.dispose]()
  } catch {
    // the result is not ours to complain about
  }
}

function swallow(pending: unknown): void {
  Promise.resolve(pending).catch(() => undefined)
}
