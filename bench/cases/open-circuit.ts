import { Effect } from 'effect'
import * as mollitia from 'mollitia'
import type { Case, TimedContestant } from '../case.ts'
import { cockatielBreaker } from '../contestants/cockatiel.ts'
import { bare, names, swallow } from '../contestants/common.ts'
import { effectBreaker, effectWork, viaEffect } from '../contestants/effect.ts'
import { ourBreaker } from '../contestants/holdfast.ts'
import { mollitiaBreaker } from '../contestants/mollitia.ts'
import { opossumBreaker } from '../contestants/opossum.ts'
import { work } from '../contestants/work.ts'

/** An open circuit turning callers away: how much a refusal costs when CPU is scarce. */
export const openCircuit: Case = {
  kind: 'timed',
  name: 'open-circuit',
  title: 'Open circuit, refused call',
  note: '`tryExecute` answers with plain data; the others throw or reject, and the caller catches.',
  unit: 'ns',
  page: 'circuit-breaker',
  gates: [
    { kind: 'must', ours: 'holdfast `tryExecute`', versus: 'best peer', atMost: 0.05 },
    { kind: 'must', ours: 'holdfast `execute`', versus: 'best peer', atMost: 0.5 },
  ],
  contestants: async () => {
    const ours = ourBreaker()
    ours.isolate()
    const cockatiel = cockatielBreaker()
    cockatiel.isolate()
    const opossum = opossumBreaker()
    opossum.open()
    return [
      bare,
      { name: 'hand-written', role: 'hand-written', call: () => refuseByHand().catch(swallow), works: 0 },
      { name: 'holdfast `tryExecute`', role: 'ours', call: () => ours.tryExecute(work), works: 0 },
      { name: 'holdfast `execute`', role: 'ours', call: () => ours.execute(work).catch(swallow), works: 0 },
      { name: names.cockatiel, role: 'peer', call: () => cockatiel.execute(work).catch(swallow), works: 0 },
      { name: names.opossum, role: 'peer', call: () => opossum.fire().catch(swallow), works: 0 },
      openMollitia(),
      ...(await openEffect()),
    ]
  },
}

async function refuseByHand(): Promise<never> {
  throw new Error('circuit open')
}

function openMollitia(): TimedContestant {
  const breaker = mollitiaBreaker()
  const circuit = new mollitia.Circuit({ func: work, options: { modules: [breaker] } })
  void breaker.open()
  return { name: names.mollitia, role: 'peer', call: () => circuit.execute().catch(swallow), works: 0 }
}

async function openEffect(): Promise<readonly TimedContestant[]> {
  const breaker = await effectBreaker()
  const failing = breaker.execute(Effect.fail('down'), { key: 'payments' })
  for (let failures = 0; failures < 5; failures++) await Effect.runPromise(Effect.exit(failing))
  return viaEffect(Effect.exit(breaker.execute(effectWork, { key: 'payments' })), 0)
}
