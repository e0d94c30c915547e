import { effect } from '@preact/signals'
import { demo, server } from '../live/store.ts'
import { navigate } from '../router.tsx'

/** A visitor who asked for no page in particular sees the demonstration first, if the server runs one. Once: the overview stays a click away. */
export function offerDemo(): void {
  if (location.hash !== '') return
  const end = effect(() => {
    if (server.value === null) return
    if (location.hash === '' && demo.value !== undefined) navigate('/demo')
    queueMicrotask(() => end())
  })
}
