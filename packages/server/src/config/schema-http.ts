import * as z from 'zod'
import { connectionHeaders, headerName, headerValue, isStatusPattern, type StatusPattern } from './http-syntax.ts'
import { parsedScalar, text } from './scalars.ts'

/** Headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>

/** A map of header names and values. Values that are blank (an unset variable, say) are left out. */
export function headersSchema(): z.ZodType<Headers> {
  const name = text("made of letters, digits or any of !#$%&'*+.^_`|~-", headerName).refine(
    (key) => !connectionHeaders.has(key.toLowerCase()),
    {
      error: 'must not be a header that belongs to the connection; it is set by whoever sends the message',
    },
  )
  const value = text("a header's value: a text of one line (numbers need quotes)", headerValue)
  return z.record(name, value, { error: 'must be a map of header names and values' }).transform((headers, context) => {
    const byName = new Map<string, string>()
    for (const [key, content] of Object.entries(headers)) {
      const lowerCase = key.toLowerCase()
      if (byName.has(lowerCase))
        context.addIssue({ code: 'custom', message: 'is given twice: case does not count in header names', path: [key] })
      byName.set(lowerCase, content.trim())
    }
    return Object.fromEntries([...byName].filter(([, content]) => content !== ''))
  })
}

/** A status or class of statuses, none of which is `never`. */
export function statusPattern(never: readonly { readonly status: number; readonly why: string }[] = []): z.ZodType<StatusPattern> {
  const why = never.map(({ why: reason }) => `; ${reason}`).join('')
  return parsedScalar<StatusPattern>({
    expected: `a status from 100 to 599, or a class such as '5xx'${why}`,
    parse: (value) => (isStatusPattern(value) && !never.some(({ status }) => status === value) ? value : undefined),
    suggest: (value) => {
      if (typeof value !== 'string') return undefined
      const status = value.trim().toLowerCase().replace(/\*\*$/, 'xx')
      return isStatusPattern(status) || isStatusPattern(Number(status)) ? status : undefined
    },
    json: {
      anyOf: [
        { type: 'integer', minimum: 100, maximum: 599 },
        { type: 'string', pattern: '^[1-5]xx$' },
      ],
    },
  })
}

/** A base URL without credentials, query and fragment; becomes it without a trailing slash. */
export function baseUrl(): z.ZodType<string> {
  return parsedScalar({
    expected: 'an http:// or https:// URL without credentials, query and fragment, such as https://api.example.com/v1',
    parse: (value) => {
      const url = typeof value === 'string' ? parseUrl(value) : undefined
      if (url === undefined || url.username !== '' || url.password !== '' || /[?#]/.test(value as string)) return undefined
      return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
    },
    suggest: (value) => {
      const withScheme = typeof value === 'string' && /^[\w.-]+(:\d+)?(\/[\w./-]*)?$/.test(value) ? `http://${value}` : ''
      return parseUrl(withScheme) === undefined ? undefined : withScheme
    },
    json: { type: 'string', format: 'uri', pattern: '^https?://[^?#@]+$' },
  })
}

function parseUrl(url: string): URL | undefined {
  if (!/^https?:\/\/[^/\\\s]/i.test(url) || /[\s\\]/.test(url)) return undefined
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}
