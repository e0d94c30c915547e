import { offersFor, productsIn } from './catalog.ts'
import { chanceBetween } from './chance.ts'
import type { Answer, Exchange } from './exchange.ts'
import { startService, type Service, type ServiceOptions } from './http-service.ts'

const fastestMs = 25
const slowestMs = 90

/** The search tool: `GET /search?q=…` answers `{ items }`, cheapest first. */
export function startSearchServer(options: ServiceOptions): Promise<Service> {
  return startService({ handle: search, errorBody }, options)
}

async function search(exchange: Exchange): Promise<Answer> {
  if (exchange.method !== 'GET' || exchange.path !== '/search')
    return { status: 404, body: errorBody('not_found', 'GET /search?q=… is all there is') }
  const query = exchange.query.get('q')
  if (query === null || query.trim() === '') return { status: 400, body: errorBody('missing_query', "the parameter 'q' is missing") }
  await exchange.work(chanceBetween(fastestMs, slowestMs, exchange.draw('latency')))
  const items = productsIn(query).flatMap(offersFor)
  return { status: 200, body: { items: items.toSorted((a, b) => a.price - b.price) } }
}

function errorBody(code: string, message: string): unknown {
  return { error: { code, message } }
}
