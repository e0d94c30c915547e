import type { DependencyView, LiveState, PolicyView } from '../../wire.ts'
import { dependencyView } from './dependency-view.ts'
import { policyView } from './policy-view.ts'
import { serverView } from './server-view.ts'
import type { ViewSource } from './view-source.ts'

/** All that is known now. Looks at every policy once. */
export function liveState(source: ViewSource): LiveState {
  const health = source.health()
  const dependencies: Record<string, DependencyView> = {}
  for (const name of source.history.names()) {
    const view = dependencyView(source, name, health)
    if (view !== undefined) dependencies[name] = view
  }
  const policies: Record<string, PolicyView> = {}
  for (const id of source.system.policies().keys()) {
    const view = policyView(source, id, health)
    if (view !== undefined) policies[id] = view
  }
  const demo = source.demo?.()
  return { server: serverView(source, health), config: source.config(), dependencies, policies, ...(demo === undefined ? {} : { demo }) }
}
