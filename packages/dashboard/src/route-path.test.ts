import { expect, it } from 'vitest'
import { parsePath } from './route-path.ts'

it.each([
  ['/', { page: 'overview' }],
  ['/policies', { page: 'policies' }],
  ['/policies/circuit-breaker%2Fllm', { page: 'policy', name: 'circuit-breaker/llm' }],
  ['/dependencies/llm', { page: 'dependency', name: 'llm' }],
  ['/events?policy=llm', { page: 'events' }],
  ['/policies/a/b', { page: 'unknown', path: '/policies/a/b' }],
  ['/policies/%E0%A4%A', { page: 'unknown', path: '/policies/%E0%A4%A' }],
  ['/nowhere', { page: 'unknown', path: '/nowhere' }],
])('%s', (path, route) => {
  expect(parsePath(path)).toEqual(route)
})

it('S11: a name that looks like markup or a path is one name', () => {
  for (const name of ['<img src=x onerror=alert(1)>', '../../etc/passwd', 'ü/?#&%', '__proto__']) {
    expect(parsePath(`/dependencies/${encodeURIComponent(name)}`)).toEqual({ page: 'dependency', name })
  }
})
