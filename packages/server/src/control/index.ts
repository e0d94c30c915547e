export { problem, refuseChange, tokenOf, type Role, type Token } from './authority.ts'
export { createControl } from './control.ts'
export type { ControlEnvironment } from './environment.ts'
export type { Lifecycle } from './health-routes.ts'
