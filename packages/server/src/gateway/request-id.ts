import { randomUUID } from 'node:crypto'

/** Short, and nothing that means anything in a header, a log line, a shell or a page. */
const sane = /^[A-Za-z0-9][A-Za-z0-9._:@/+=-]{0,127}$/

/** The id that the client gave its request, if it is one that can be passed on and logged as it is; a new one otherwise. */
export function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && sane.test(given) ? given : randomUUID()
}
