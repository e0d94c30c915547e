/**
 * The answer of a user's predicate, which is needed at once.
 * @throws whatever the predicate throws; a TypeError when it answers with a promise, which would count as yes whatever it brings.
 */
export function askPredicate<Input>(option: string, predicate: (input: Input) => boolean, input: Input): boolean {
  const answer: unknown = predicate(input)
  if (!isThenable(answer)) return Boolean(answer)
  Promise.resolve(answer).catch(() => undefined)
  throw new TypeError(`${option} must answer with true or false, not with a promise`)
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
