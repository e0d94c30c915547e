import { bulkhead, circuitBreaker, fallback, pipeline, retry, retryBudget, timeout, type Bulkhead, type CircuitBreaker } from 'holdfast'
import type { AnyPolicy } from 'holdfast/system'
import { callOrders, callSearch, type SearchResult, type Tools } from './tool-calls.ts'

/** What protection did instead of sending a call on. */
export interface ProtectionFigures {
  /** Calls that a policy refused. */
  readonly refused: number
  /** Calls that something else than the dependency answered. */
  readonly fallbacks: number
}

export interface ProtectedTools extends Tools {
  /** Every policy that stands before a tool, outermost first within each, for the control plane to show and steer. */
  readonly policies: readonly AnyPolicy[]
  readonly figures: () => ProtectionFigures
}

/** The agent's tools behind policies. A tool normally answers within 100 ms; every limit leaves it several times that. */
export function protectedTools(urls: { readonly search: string; readonly orders: string }): ProtectedTools {
  const search = protectedSearch(urls.search)
  const orders = protectedOrders(urls.orders)
  return {
    search: search.call,
    order: orders.call,
    policies: [...search.policies, ...orders.policies],
    figures: () => ({
      refused: [...search.gates, ...orders.gates].reduce((sum, gate) => sum + refusedBy(gate), 0),
      fallbacks: search.fallbacks(),
    }),
  }
}

type ToolGate = CircuitBreaker | Bulkhead

interface ProtectedTool<Call> {
  readonly call: Call
  readonly policies: readonly AnyPolicy[]
  readonly gates: readonly ToolGate[]
}

/** Search may be repeated, and may be done without: an earlier answer for the same product, or none, is better than no order. */
function protectedSearch(baseUrl: string): ProtectedTool<Tools['search']> & { fallbacks(): number } {
  const earlier = new Map<string, SearchResult>()
  const instead = fallback({
    name: 'search-fallback',
    handler: (_error, { key = '' }): SearchResult => earlier.get(key) ?? { items: [], insteadOfSearch: 'nothing' },
  })
  const total = timeout({ name: 'search-total', after: '2s' })
  const again = retry({
    name: 'search-retry',
    maxAttempts: 2,
    initialDelay: '50ms',
    maxDelay: '500ms',
    budget: retryBudget({ name: 'search-retries' }),
  })
  const circuit = circuitBreaker({ name: 'search-tool', failureThreshold: 5, failureWindow: '10s', openFor: '3s', successThreshold: 2 })
  const places = bulkhead({ name: 'search-places', maxConcurrent: 32 })
  const attempt = timeout({ name: 'search-attempt', after: '600ms' })
  const guarded = pipeline({ name: 'search-tool' }, instead, total, again, circuit, places, attempt)

  return {
    policies: [instead, total, again, circuit, places, attempt],
    gates: [circuit, places],
    fallbacks: () => instead.status().used,
    call: async (query, { task, signal }) => {
      const found = await guarded.execute((call) => callSearch(baseUrl, query, { task, signal: call.signal }), { key: query, signal })
      if (found.insteadOfSearch === undefined) earlier.set(query, { ...found, insteadOfSearch: 'earlier answer' })
      return found
    },
  }
}

/** An order must happen, once: the same key at every attempt, so that a repeated order is recognised by the service. */
function protectedOrders(baseUrl: string): ProtectedTool<Tools['order']> {
  const total = timeout({ name: 'orders-total', after: '6s' })
  const again = retry({
    name: 'orders-retry',
    maxAttempts: 4,
    initialDelay: '100ms',
    maxDelay: '1s',
    budget: retryBudget({ name: 'orders-retries' }),
  })
  const circuit = circuitBreaker({ name: 'orders-tool', failureThreshold: 5, failureWindow: '10s', openFor: '3s', successThreshold: 2 })
  const places = bulkhead({ name: 'orders-places', maxConcurrent: 32, maxQueued: 32, maxWait: '1s' })
  const attempt = timeout({ name: 'orders-attempt', after: '1s' })
  const guarded = pipeline({ name: 'orders-tool' }, total, again, circuit, places, attempt)

  return {
    policies: [total, again, circuit, places, attempt],
    gates: [circuit, places],
    call: (wish, { task, signal }) => {
      const key = `order-${task.id}`
      return guarded.execute((call) => callOrders(baseUrl, wish, { task, signal: call.signal, key }), { idempotencyKey: key, signal })
    },
  }
}

function refusedBy(gate: ToolGate): number {
  return gate.kind === 'circuit-breaker' ? gate.status().refusedTotal : gate.status().rejected
}
