import OpenAI from 'openai'
import type { AgentConnections } from './agent.ts'
import { callOrders, callSearch } from './tool-calls.ts'

/** Where a lane's services listen. */
export interface ServiceUrls {
  readonly llm: string
  readonly search: string
  readonly orders: string
}

/**
 * The agent's connections as most teams ship them: the SDK with its own defaults (two retries, ten minutes), `fetch` with none
 * of its own limits beyond five minutes for headers, and nobody who stops the work when the user has left. (The signal that comes
 * with a call is the end of the demo.)
 */
export function bareConnections(urls: ServiceUrls): AgentConnections {
  return {
    llm: new OpenAI({ baseURL: `${urls.llm}/v1`, apiKey: 'demo' }),
    search: (query, options) => callSearch(urls.search, query, options),
    order: (wish, options) => callOrders(urls.orders, wish, options),
  }
}
