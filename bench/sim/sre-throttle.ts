import { policy, refusal, type Clock, type Policy, type Random } from 'holdfast'

const slots = 10

/** Client-side adaptive throttling (Site Reliability Engineering, chapter 21): refuse with probability (requests − K · accepts) / (requests + 1). */
export function sreThrottle(k: number, windowMs: number, clock: Clock, random: Random): Policy {
  const slotMs = windowMs / slots
  const requests = new Float64Array(slots)
  const accepts = new Float64Array(slots)
  let current = 0
  const turn = (): number => {
    const slot = Math.floor(clock.now() / slotMs)
    for (let gone = Math.max(current + 1, slot - slots + 1); gone <= slot; gone++) {
      requests[gone % slots] = 0
      accepts[gone % slots] = 0
    }
    current = Math.max(current, slot)
    return current % slots
  }
  const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0)
  const parts = {
    kind: 'gate',
    admit: () => {
      const slot = turn()
      const offered = sum(requests)
      const chance = Math.max(0, (offered - k * sum(accepts)) / (offered + 1))
      requests[slot]!++
      return random() < chance ? refusal('ERR_REFUSED', 'sre-throttle') : undefined
    },
    settle: (_permit: undefined, ok: boolean) => {
      if (ok) accepts[turn()]!++
    },
  } as const
  return policy({ name: 'sre-throttle', clock, parts })
}
