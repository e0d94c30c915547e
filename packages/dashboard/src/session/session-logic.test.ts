import { describe, expect, it } from 'vitest'
import { tokenInFragment } from './address-token.ts'
import { canLogIn, whyNotOperate } from './role-text.ts'

const visitor = { who: null, role: null, tokens: true, loginRequired: false, expiresAt: null } as const

describe('a token in the address', () => {
  it.each([
    ['#token=abc-DEF_123', 'abc-DEF_123'],
    ['#token=a%2Bb', 'a+b'],
    ['#token=', null],
    ['#/demo', null],
    ['', null],
  ])('%s', (fragment, token) => {
    expect(tokenInFragment(fragment)).toBe(token)
  })
})

describe('S3: who may change something', () => {
  it('is only somebody with the role operate; everybody else hears why not', () => {
    expect(whyNotOperate({ ...visitor, who: 'anna', role: 'operate' })).toBeNull()
    expect(whyNotOperate({ ...visitor, who: 'grafana', role: 'read' })).toContain('grafana may only read')
    expect(whyNotOperate(visitor)).toContain("need the role 'operate'")
    expect(whyNotOperate({ ...visitor, tokens: false })).toContain('No token is configured')
    expect(whyNotOperate(null)).not.toBeNull()
  })

  it('is offered a log-in where that can help', () => {
    expect(canLogIn(visitor)).toBe(true)
    expect(canLogIn({ ...visitor, role: 'read' })).toBe(true)
    expect(canLogIn({ ...visitor, tokens: false })).toBe(false)
    expect(canLogIn({ ...visitor, role: 'operate' })).toBe(false)
  })
})
