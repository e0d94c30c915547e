import { useSignal } from '@preact/signals'
import { ApiError, postJson, session } from '../api/client.ts'
import { openLogIn } from '../session/log-in.ts'
import { canLogIn, whyNotOperate } from '../session/role-text.ts'
import { demoServices, type DemoView } from './demo-view.ts'
import { faultChoices, faultDurations, isInForce, type FaultChoice } from './fault-choices.ts'

/** Injects a fault into one service of both lanes, for a time. What is in force is shown by the live figures, not by the click. */
export function FaultButtons({ demo }: { readonly demo: DemoView }) {
  const duration = useSignal('20000')
  const said = useSignal<{ readonly text: string; readonly isBad: boolean } | null>(null)
  const refusal = whyNotOperate(session.value)

  const pressedOf = (choice: FaultChoice, service: string): { 'aria-pressed'?: boolean } => {
    const active = demo.faults.find((each) => each.service === service)
    return choice.kind === null ? {} : { 'aria-pressed': isInForce(choice, active) }
  }
  const inject = async (service: string, { fault, meaning }: FaultChoice): Promise<void> => {
    const forMs = duration.value === '' || fault === 'script' ? undefined : Number(duration.value)
    try {
      await postJson('/api/v1/demo/faults', { service, fault, reason: 'injected on the page', ...(forMs === undefined ? {} : { forMs }) })
      said.value = { text: `${service} ${meaning}${forMs === undefined ? '' : ` for ${forMs / 1_000} s`}.`, isBad: false }
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403) && canLogIn(session.value)) openLogIn()
      said.value = { text: `Not done: ${error instanceof Error ? error.message : 'the server cannot be reached'}`, isBad: true }
    }
  }
  return (
    <section class="faults" aria-labelledby="faults-title">
      <h2 id="faults-title">Inject a fault into both lanes</h2>
      <label class="fault-duration">
        for{' '}
        <select value={duration.value} onChange={(event) => (duration.value = event.currentTarget.value)}>
          {faultDurations.map(({ label, ms }) => (
            <option key={label} value={ms ?? ''}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {demoServices.map((service) => (
        <div class="fault-row" role="group" aria-label={`Faults of ${service}`} key={service}>
          <span class="fault-service">{service}</span>
          {faultChoices.map((choice) => (
            <button
              key={choice.fault}
              type="button"
              title={`${service} ${choice.meaning}`}
              {...pressedOf(choice, service)}
              disabled={refusal !== null}
              onClick={() => void inject(service, choice)}
            >
              {choice.label}
            </button>
          ))}
        </div>
      ))}
      {refusal !== null && (
        <p class="quiet">
          {refusal}{' '}
          {canLogIn(session.value) && (
            <button type="button" class="link" onClick={() => openLogIn()}>
              Log in
            </button>
          )}
        </p>
      )}
      <p role="status" class={said.value?.isBad === true ? 'said failed' : 'said'}>
        {said.value?.text}
      </p>
    </section>
  )
}
