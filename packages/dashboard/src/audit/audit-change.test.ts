import { describe, expect, it } from 'vitest'
import { auditChanges } from './audit-change.ts'

describe('what an audit record changed', () => {
  it('shows the fields that differ, and only those, nested ones by their path', () => {
    expect(auditChanges({ state: 'closed', mode: 'enforce' }, { state: 'open', mode: 'enforce', until: 5 })).toEqual([
      { name: 'state', before: 'closed', after: 'open' },
      { name: 'until', before: '–', after: '5' },
    ])
    expect(auditChanges({ a: { b: 1, c: [2] } }, { a: { b: 2, c: [2] } })).toEqual([{ name: 'a.b', before: '1', after: '2' }])
  })

  it('shows both sides as they are when they have no field in common', () => {
    expect(auditChanges({ state: 'closed' }, { action: 'force-open' })).toEqual([
      { name: null, before: 'state closed', after: 'action force-open' },
    ])
  })

  it('leaves out what has a column of its own', () => {
    expect(auditChanges(null, { by: 'anna', at: 1, expiresAt: 2, reason: 'drill', action: 'isolate' })).toEqual([
      { name: 'action', before: '–', after: 'isolate' },
    ])
  })

  it('shows single values as they are, and nothing when nothing changed', () => {
    expect(auditChanges('closed', 'open')).toEqual([{ name: null, before: 'closed', after: 'open' }])
    expect(auditChanges(null, null)).toEqual([])
    expect(auditChanges({ a: 1 }, { a: 1 })).toEqual([])
    expect(auditChanges(['a'], ['b'])).toEqual([{ name: null, before: '["a"]', after: '["b"]' }])
  })
})
