import type { PolicyDetail } from '@holdfast/server/wire'
import { useEffect, useState } from 'preact/hooks'
import { getJson } from '../api/client.ts'

export interface PolicyDetailState {
  readonly detail: PolicyDetail | null
  readonly failure: string | null
}

/** What the live feed does not carry of a policy: its settings and latest events. Read again for each new configuration. */
export function usePolicyDetail(id: string, generation: number): PolicyDetailState {
  const [state, setState] = useState<PolicyDetailState>({ detail: null, failure: null })
  useEffect(() => {
    const end = new AbortController()
    getJson<PolicyDetail>(`/api/v1/policies/${encodeURIComponent(id)}`, end.signal).then(
      (detail) => setState({ detail, failure: null }),
      (error: unknown) => {
        if (end.signal.aborted) return
        setState({ detail: null, failure: error instanceof Error ? error.message : 'The server cannot be reached.' })
      },
    )
    return () => end.abort()
  }, [id, generation])
  return state
}
