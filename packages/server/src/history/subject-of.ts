import type { PolicyEvent } from 'holdfast'

/** Kinds of policies by the first word of their events. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  circuit: ['circuit-breaker'],
  retry: ['retry'],
  timeout: ['timeout'],
  fallback: ['fallback'],
  bulkhead: ['bulkhead', 'compartmented-bulkhead'],
  limiter: ['rate-limiter'],
  load: ['load-shedder'],
  hedge: ['hedge'],
  throttler: ['throttler'],
  concurrency: ['adaptive-concurrency'],
}

/** What an event is about: the id of the policy that told it, where it is registered; else the name it gave. */
export function subjectOf({ type, policy }: PolicyEvent, isRegistered: (id: string) => boolean): string {
  const [word = ''] = type.split('.', 1)
  return (kinds[word] ?? []).map((kind) => `${kind}/${policy}`).find(isRegistered) ?? policy
}
