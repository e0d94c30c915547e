import type { ServiceName } from '../faults.ts'
import type { Service } from './http-service.ts'
import { startLlmServer, type LlmServerOptions } from './llm-server.ts'
import { startOrdersServer, type OrdersServerOptions } from './orders-server.ts'
import { startSearchServer } from './search-server.ts'
import type { ServiceOptions } from './http-service.ts'

/** What a service process is told on its command line, as JSON. */
export type ServiceConfig =
  | ({ readonly service: 'llm' } & LlmServerOptions)
  | ({ readonly service: 'search' } & ServiceOptions)
  | ({ readonly service: 'orders' } & OrdersServerOptions)

/** What a service process says, once, when it can be used. */
export interface ServiceReady {
  readonly type: 'ready'
  readonly service: ServiceName
  readonly url: string
  readonly adminUrl: string
}

export function startConfiguredService(config: ServiceConfig): Promise<Service> {
  switch (config.service) {
    case 'llm':
      return startLlmServer(config)
    case 'search':
      return startSearchServer(config)
    case 'orders':
      return startOrdersServer(config)
  }
}
