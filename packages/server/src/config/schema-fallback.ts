import * as z from 'zod'
import { integer } from './scalars.ts'
import { headersSchema, type Headers } from './schema-http.ts'
import { section } from './section.ts'

/** An answer that is given instead of none. */
export interface FallbackSettings {
  readonly name: string
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** As written: the body is still in one of its three forms. */
export interface FallbackSource {
  readonly status: number
  readonly headers: Headers
  readonly body?: string
  readonly bodyFile?: string
  readonly json?: unknown
}

const anyText = 'must be a text'

/** A fallback without its name. */
export const fallbackSchema: z.ZodType<FallbackSource> = section(
  {
    status: integer({ min: 200, max: 599 }).prefault(200).describe('Status of the answer.'),
    headers: headersSchema().prefault({}).describe('Headers of the answer. content-type follows from the body when left out.'),
    body: z.string({ error: anyText }).exactOptional().describe('Body of the answer, as text.'),
    bodyFile: z
      .string({ error: anyText })
      .min(1, { error: 'must name a file' })
      .exactOptional()
      .describe('File with the body (UTF-8), relative to the configuration file.'),
    json: z.unknown().optional().describe('Body of the answer, as a value that is sent as JSON.'),
  },
  { aliases: { statusCode: 'status', file: 'bodyFile', text: 'body' }, elsewhere: { name: "a definition's name is its key" } },
)
  .check(({ value, issues }) => {
    const bodies = (['body', 'bodyFile', 'json'] as const).filter((key) => value[key] !== undefined)
    if (bodies.length <= 1) return
    issues.push({ code: 'custom', message: `must not be given together with ${bodies[0]}`, input: value, path: [bodies[1] ?? ''] })
  })
  .meta({ id: 'fallback' })
