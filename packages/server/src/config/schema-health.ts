import * as z from 'zod'
import { boolean, duration, text } from './scalars.ts'
import { section } from './section.ts'

/** How an upstream's health is checked; durations in ms. */
export interface HealthCheckSettings {
  readonly name: string
  readonly deep: boolean
  readonly path: string
  readonly interval: number
  readonly timeout: number
  readonly critical: boolean
}

/** A health check without its name. */
export const healthCheckSchema: z.ZodType<Omit<HealthCheckSettings, 'name'>> = section(
  {
    deep: boolean().prefault(true).describe('true asks for path and expects a 2xx or 3xx answer; false only opens a connection.'),
    path: text("a path that begins with '/'", /^\/[^\s#\\]*$/)
      .prefault('/health')
      .describe("What a deep check asks for, below the upstream's url."),
    interval: duration({ min: '100ms' }).prefault('10s').describe('Time between two checks.'),
    timeout: duration({ min: '1ms' }).prefault('1s').describe('A check that has no answer by then has failed.'),
    critical: boolean().prefault(false).describe('Whether the server counts as not ready while the check fails.'),
  },
  {
    aliases: { url: 'path', endpoint: 'path', every: 'interval', period: 'interval' },
    elsewhere: { name: "a definition's name is its key" },
  },
).meta({ id: 'healthCheck' })
