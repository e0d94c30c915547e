export { liveState } from './live-state.ts'
export { policyDetail, policyView } from './policy-view.ts'
export type { ViewSource } from './view-source.ts'
