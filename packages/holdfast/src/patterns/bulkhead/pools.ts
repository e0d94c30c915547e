import type { BulkheadSettings } from './bulkhead.ts'

/** A pool as many run, so many more may wait: who comes after them is told at once. */
function pool(maxConcurrent: number): BulkheadSettings {
  return { maxConcurrent, maxQueued: maxConcurrent }
}

/** The pools of an agent that nobody has configured: each kind of resource has places of its own. */
export const defaultPools: Readonly<Record<DefaultPool, BulkheadSettings>> = {
  llm_calls: pool(50),
  database_operations: pool(100),
  memory_operations: pool(200),
  tool_executions: pool(30),
  file_operations: pool(20),
}

export type DefaultPool = 'llm_calls' | 'database_operations' | 'memory_operations' | 'tool_executions' | 'file_operations'
