export { memoryOnce, type MemoryOnce, type MemoryOnceOptions } from '../../core/ports/memory-once.ts'
export { memoryCoord, type MemoryCoord, type MemoryCoordOptions } from './coord.ts'
export { memoryQuota, type MemoryQuota, type MemoryQuotaOptions } from './quota.ts'
