import OpossumBreaker from 'opossum'
import type { Role, TimedContestant } from '../case.ts'
import { names } from './common.ts'
import { work } from './work.ts'

export function opossumBreaker(options: OpossumBreaker.Options = {}): OpossumBreaker<[], number> {
  return new OpossumBreaker(work, { timeout: false, resetTimeout: 60_000, ...options })
}

export function viaOpossum(options: OpossumBreaker.Options, role: Role): TimedContestant {
  const breaker = opossumBreaker(options)
  return { name: names.opossum, role, call: () => breaker.fire() }
}
