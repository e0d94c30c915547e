import type { DependencyHistory, HistoryRange } from '@holdfast/server/wire'
import { useEffect, useState } from 'preact/hooks'
import { getJson } from '../api/client.ts'

export interface HistoryState {
  readonly history: DependencyHistory | null
  /** Why there are no newer figures; an earlier history stays. */
  readonly failure: string | null
}

const leastPauseMs = 5_000
const longestPauseMs = 60_000

/** The history of a dependency, read again for each new bucket while somebody looks. */
export function useHistory(dependency: string | null, range: HistoryRange): HistoryState {
  const [state, setState] = useState<HistoryState>({ history: null, failure: null })
  useEffect(() => {
    if (dependency === null) return undefined
    const end = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async (): Promise<void> => {
      let pauseMs = leastPauseMs
      try {
        const history = await getJson<DependencyHistory>(`/api/v1/history/${encodeURIComponent(dependency)}?range=${range}`, end.signal)
        pauseMs = Math.max(leastPauseMs, Math.min(longestPauseMs, history.stepMs))
        setState({ history, failure: null })
      } catch (error) {
        if (end.signal.aborted) return
        setState(({ history }) => ({ history, failure: error instanceof Error ? error.message : 'The server cannot be reached.' }))
      }
      timer = setTimeout(() => void readWhileSeen(), pauseMs)
    }
    const readWhileSeen = async (): Promise<void> => {
      if (document.hidden) document.addEventListener('visibilitychange', () => void read(), { once: true, signal: end.signal })
      else await read()
    }
    setState({ history: null, failure: null })
    void read()
    return () => {
      end.abort()
      clearTimeout(timer)
    }
  }, [dependency, range])
  return state
}
