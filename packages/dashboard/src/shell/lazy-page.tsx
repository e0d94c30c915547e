import type { ComponentType, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Failed, Loading } from '../ui/notice.tsx'

/** A page whose code is asked for when somebody goes there. */
export function lazyPage<P extends object>(what: string, load: () => Promise<ComponentType<P>>): (props: P) => JSX.Element {
  let loaded: ComponentType<P> | undefined
  return (props) => {
    const [, setCount] = useState(0)
    const [failure, setFailure] = useState<string | null>(null)
    const [attempt, setAttempt] = useState(0)
    useEffect(() => {
      if (loaded !== undefined) return
      load().then(
        (page) => {
          loaded = page
          setCount(1)
        },
        (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
      )
    }, [attempt])
    if (loaded !== undefined) {
      const Loaded = loaded
      return <Loaded {...props} />
    }
    if (failure === null) return <Loading what={what} />
    const retry = (): void => {
      setFailure(null)
      setAttempt(attempt + 1)
    }
    return <Failed title={`The ${what} page could not be loaded`} reason={failure} onRetry={retry} />
  }
}
