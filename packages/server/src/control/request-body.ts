import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import type { ControlEnvironment } from './environment.ts'
import { problem } from './problem.ts'

/** Reads the body of what may be answered, up to a size. */
export function limitBody(maxBytes: number): MiddlewareHandler<ControlEnvironment> {
  return async (context, next) => {
    if (context.req.method !== 'POST') return await next()
    const text = await readText(context.env.incoming, maxBytes)
    if (text !== undefined) {
      context.set('bodyText', text)
      return await next()
    }
    // what is left of the body is not waited for
    context.header('connection', 'close')
    return context.json(problem('body-too-large', `the body must not have more than ${maxBytes} bytes`), 413)
  }
}

/** Undefined when it is too long. */
async function readText(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= maxBytes) chunks.push(chunk)
      else resolve(undefined)
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('error', reject)
    request.once('close', () => reject(new Error('the client left')))
  })
}
