import { chanceBetween } from './chance.ts'
import type { Answer, Exchange } from './exchange.ts'
import { startService, type Service, type ServiceOptions } from './http-service.ts'
import { openOrdersStore, type OrderRequest, type OrdersStore } from './orders-store.ts'

export interface OrdersServerOptions extends ServiceOptions {
  /** The SQLite file; made when it is not there. */
  readonly file: string
}

const fastestMs = 8
const slowestMs = 40

/** `POST /orders {task, sku, quantity}` with an optional Idempotency-Key; `GET /orders/:id`. */
export function startOrdersServer(options: OrdersServerOptions): Promise<Service> {
  const store = openOrdersStore(options.file)
  const handle = async (exchange: Exchange): Promise<Answer> => {
    if (exchange.method === 'POST' && exchange.path === '/orders') return place(exchange, store)
    const id = /^\/orders\/(\d+)$/.exec(exchange.path)?.[1]
    const order = id === undefined || exchange.method !== 'GET' ? undefined : store.find(Number(id))
    return order === undefined ? { status: 404, body: errorBody('not_found', 'no such order') } : { status: 200, body: order }
  }
  return startService({ handle, errorBody, extra: () => store.figures(), close: () => store.close() }, options)
}

/** The order is written before anything can happen to the answer: a lost answer is not a lost order. */
async function place(exchange: Exchange, store: OrdersStore): Promise<Answer> {
  const { body, headers } = exchange
  if (!isOrder(body)) return { status: 400, body: errorBody('bad_order', 'an order has task (text), sku (text) and quantity (1 to 1000)') }
  await exchange.work(chanceBetween(fastestMs, slowestMs, exchange.draw('latency')))
  const key = headers['idempotency-key']
  const placed = store.place(body, typeof key === 'string' ? key : undefined)
  if (placed.kind === 'conflict') return { status: 422, body: errorBody('key_reused', 'this Idempotency-Key belongs to another order') }
  if (placed.kind === 'created') return { status: 201, body: placed.order }
  return { status: 200, body: placed.order, headers: { 'idempotency-replayed': 'true' } }
}

function isOrder(body: unknown): body is OrderRequest {
  if (typeof body !== 'object' || body === null) return false
  const { task, sku, quantity } = body as Record<string, unknown>
  return (
    typeof task === 'string' &&
    typeof sku === 'string' &&
    Number.isInteger(quantity) &&
    (quantity as number) >= 1 &&
    (quantity as number) <= 1_000
  )
}

function errorBody(code: string, message: string): unknown {
  return { error: { code, message } }
}
