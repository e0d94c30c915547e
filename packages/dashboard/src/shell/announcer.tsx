import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { connection, dependencies } from '../live/store.ts'
import { changesInWords, type StatesByName } from './state-changes.ts'

const announcement = signal('')
const quietForMs = 5_000

/** Tells those who listen what has changed state: the changes of some seconds in one sentence, and nothing while nothing changes. */
export function Announcer() {
  useEffect(() => {
    let told: StatesByName | null = null
    let toldAt = -Infinity
    let timer: ReturnType<typeof setTimeout> | undefined
    const tell = (): void => {
      timer = undefined
      const states = currentStates()
      const words = told === null ? '' : changesInWords(told, states)
      told = states
      if (words === '') return
      toldAt = performance.now()
      announcement.value = words
    }
    const stop = effect(() => {
      const isKnown = connection.value.state !== 'connecting'
      const states = currentStates()
      if (!isKnown) return
      if (told === null) told = states
      else if (changesInWords(told, states) !== '') timer ??= setTimeout(tell, Math.max(0, toldAt + quietForMs - performance.now()))
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [])
  return (
    <p class="unseen" role="status" aria-live="polite">
      {announcement}
    </p>
  )
}

function currentStates(): StatesByName {
  const states = Object.values(dependencies.value).map(({ name, state }) => [name, state] as const)
  const { state } = connection.value
  return new Map([...states, ...(state === 'stale' || state === 'live' ? [['the connection', state] as const] : [])])
}
