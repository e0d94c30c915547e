import type { Task } from './task.ts'

/** What the search tool found, or what stands in for it. */
export interface SearchResult {
  readonly items: readonly unknown[]
  /** Set when the search itself gave no answer: an earlier answer, or none. */
  readonly insteadOfSearch?: 'earlier answer' | 'nothing'
}

export interface OrderWish {
  readonly sku: string
  readonly quantity: number
}

export interface PlacedOrder {
  readonly id: number
}

export interface ToolCallOptions {
  readonly task: Task
  readonly signal?: AbortSignal | undefined
}

/** The agent's tools. */
export interface Tools {
  readonly search: (query: string, options: ToolCallOptions) => Promise<SearchResult>
  readonly order: (wish: OrderWish, options: ToolCallOptions) => Promise<PlacedOrder>
}

/** An answer with a status that says no. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly headers: Headers

  constructor(response: Response, text: string) {
    super(`${response.url} answered ${response.status}: ${text.slice(0, 200)}`)
    this.status = response.status
    this.headers = response.headers
  }
}

/** `GET /search`, as both lanes call it. */
export async function callSearch(baseUrl: string, query: string, { task, signal }: ToolCallOptions): Promise<SearchResult> {
  const response = await fetch(`${baseUrl}/search?q=${encodeURIComponent(query)}`, {
    headers: { 'x-task-id': task.id },
    signal: signal ?? null,
  })
  return (await jsonOf(response)) as SearchResult
}

/** `POST /orders`, as both lanes call it; only who has a key sends one. */
export async function callOrders(
  baseUrl: string,
  wish: OrderWish,
  options: ToolCallOptions & { readonly key?: string },
): Promise<PlacedOrder> {
  const { task, signal, key } = options
  const response = await fetch(`${baseUrl}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-task-id': task.id, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify({ task: task.id, ...wish }),
    signal: signal ?? null,
  })
  return (await jsonOf(response)) as PlacedOrder
}

async function jsonOf(response: Response): Promise<unknown> {
  if (response.ok) return response.json()
  throw new HttpError(response, await response.text())
}
