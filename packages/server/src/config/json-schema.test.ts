import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { configJsonSchema } from './json-schema.ts'

const written: unknown = JSON.parse(readFileSync(new URL('../../assets/reliability.schema.json', import.meta.url), 'utf8'))
const editor = z.fromJSONSchema(written as z.core.JSONSchema.JSONSchema)

/** What an editor that knows the schema says to a document: nothing, or where it finds fault. */
function editorSays(text: string): readonly string[] {
  const result = editor.safeParse(parse(text))
  return result.success ? [] : result.error.issues.map(({ path }) => path.join('.'))
}

describe('the JSON Schema for editors', () => {
  it('is current: node tools/write-config-schema.mjs writes it', () => {
    expect(written).toEqual(configJsonSchema())
  })

  it('describes every setting', () => {
    const undescribed: string[] = []
    visit(written, [])
    expect(undescribed).toEqual([])

    function visit(schema: unknown, path: readonly string[]): void {
      if (typeof schema !== 'object' || schema === null) return
      const { properties } = schema as { properties?: Record<string, { description?: string }> }
      for (const [key, property] of Object.entries(properties ?? {})) {
        if (typeof property.description !== 'string') undescribed.push([...path, key].join('.'))
      }
      for (const [key, inner] of Object.entries(schema)) visit(inner, [...path, key])
    }
  })

  it('accepts durations, shares and ${…} in the place of any scalar', () => {
    const document = `
x-anything: &anchor [1, 2]
include: [circuit-breakers.yml, '\${MORE:-more.yml}']
server:
  gateway: { port: '\${PORT:-8080}', maxBodyBytes: 1MiB, requestTimeout: '\${T}' }
  control: { port: 8000 }
  tokens: [{ name: ops, role: '\${ROLE}', value: '\${TOKEN:-}' }]
circuitBreakers:
  a: { failureRatio: 85%, slowCallRatio: 0.5, slowCallDuration: 1.5s, openFor: '\${OPEN}', openForFactor: '\${F}' }
timeouts: { x: 2s, y: { after: 250ms }, z: '\${T}' }
upstreams:
  llm:
    url: '\${URL}'
    headers: { authorization: 'Bearer \${KEY}' }
    pipeline:
      order: [retry, attemptTimeout, bulkhead]
      retry: standard
      attemptTimeout: 5s
      bulkhead: { maxConcurrent: '\${N}' }
    failureStatuses: [5xx, 408]
    health: { critical: '\${CRITICAL}' }
`
    expect(editorSays(document)).toEqual([])
  })

  it.each([
    ['an unknown key', 'server: { gatway: {} }'],
    ['a bare number for a duration', 'timeouts: { x: 70 }'],
    ['a duration without a known unit', 'timeouts: { x: 10sec }'],
    ['a share above 1', 'circuitBreakers: { a: { failureRatio: 50 } }'],
    ['an unknown choice', 'server: { log: { level: loud } }'],
    ['a port out of range', 'server: { gateway: { port: 80800 } }'],
    ['an upstream without url', 'upstreams: { a: {} }'],
    ['a name that is none', 'bulkheads: { 9: { maxConcurrent: 1 } }'],
  ])('finds fault with %s', (_, document) => {
    expect(editorSays(document)).not.toEqual([])
  })
})
