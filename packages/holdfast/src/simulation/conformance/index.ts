export { coordPortConformance } from './coord-port-conformance.ts'
export type { ConformanceRunner, EngineRig, MakeEngineRig } from './engine-rig.ts'
export { oncePortConformance } from './once-port-conformance.ts'
export { quotaPortConformance } from './quota-port-conformance.ts'
