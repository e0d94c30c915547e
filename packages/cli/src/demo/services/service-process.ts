/**
 * One service as a process: `node service-process.js '{"service":"llm","seed":1}'`, started with an IPC channel. It lives as long
 * as the channel: however its parent ends, it ends too.
 */
import { startAdminServer } from './admin-server.ts'
import { startConfiguredService, type ServiceConfig, type ServiceReady } from './service-config.ts'

process.once('disconnect', () => process.exit(0))
process.once('SIGTERM', () => process.exit(0))
process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group; the parent decides when this ends

async function serve(): Promise<void> {
  const config = JSON.parse(process.argv[2] ?? '{}') as ServiceConfig
  const service = await startConfiguredService(config)
  const admin = await startAdminServer(service)
  const ready: ServiceReady = { type: 'ready', service: config.service, url: service.url, adminUrl: admin.url }
  if (process.send === undefined || !process.connected) process.exit(0)
  process.send(ready)
}

void serve()
