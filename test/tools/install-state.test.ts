import { describe, expect, it } from 'vitest'
import { fitsManifests, holdsLocked, installState, staleReason } from '../../tools/install-state.mjs'

const manifests = { 'package.json': { name: 'a', dependencies: { b: '1.0.0' } }, 'packages/c/package.json': { name: 'c' } }
const current = installState('Node.js 20 on linux-x64', 'lock', manifests)

describe('staleReason', () => {
  it('is undefined while nothing that npm reads has changed', () => {
    expect(staleReason(structuredClone(current), current)).toBeUndefined()
  })

  it('does not mind a change that installs nothing, such as a script or a description', () => {
    const edited = { ...manifests, 'package.json': { ...manifests['package.json'], scripts: { test: 'x' }, description: 'y' } }
    expect(staleReason(current, installState(current.runtime, 'lock', edited))).toBeUndefined()
  })

  it.each([
    ['the lock file', installState(current.runtime, 'other lock', manifests), 'changed: package-lock.json'],
    ['a dependency', installState(current.runtime, 'lock', { ...manifests, 'package.json': { name: 'a' } }), 'changed: package.json'],
    ['a workspace that is new', installState(current.runtime, 'lock', { ...manifests, 'd/package.json': {} }), 'changed: d/package.json'],
    [
      'a workspace that is gone',
      installState(current.runtime, 'lock', { 'package.json': manifests['package.json'] }),
      'changed: packages/c/package.json',
    ],
    ['Node.js', installState('Node.js 22 on linux-x64', 'lock', manifests), 'it was made for Node.js 20 on linux-x64'],
  ])('names %s when that has changed', (_what, changed, reason) => {
    expect(staleReason(current, changed)).toBe(reason)
  })

  it('tells a first installation from one that was interrupted', () => {
    expect(staleReason(undefined, current)).toBe('nothing was installed here yet')
    expect(staleReason('unfinished', current)).toBe('the last installation did not finish')
  })
})

describe('fitsManifests', () => {
  const lock = { packages: { '': { dependencies: { b: '1.0.0', a: '2.0.0' } }, 'packages/c': {} } }

  it('compares the dependencies of every workspace, in any order', () => {
    expect(fitsManifests(lock, { '': { dependencies: { a: '2.0.0', b: '1.0.0' } }, 'packages/c': { name: 'c' } })).toBe(true)
  })

  it.each([
    ['another version', { '': { dependencies: { a: '2.0.1', b: '1.0.0' } } }],
    ['a dependency the lock lacks', { 'packages/c': { devDependencies: { d: '1.0.0' } } }],
    ['a workspace the lock lacks', { 'packages/d': {} }],
  ])('sees %s', (_what, other) => {
    expect(fitsManifests(lock, other)).toBe(false)
  })

  it('is false without a lock file', () => {
    expect(fitsManifests(undefined, { '': {} })).toBe(false)
  })
})

describe('holdsLocked', () => {
  const b = { version: '1.0.0', integrity: 'sha512-b' }
  const lock = { packages: { '': {}, 'node_modules/b': b, 'node_modules/mac-only': { version: '1.0.0', optional: true } } }

  it('is true when npm noted every locked package, optional ones aside', () => {
    expect(holdsLocked(lock, { packages: { 'node_modules/b': b } })).toBe(true)
  })

  it.each([
    ['a package is missing', { packages: {} }],
    ['a package has another version', { packages: { 'node_modules/b': { ...b, version: '1.0.1' } } }],
    ['a package has other contents', { packages: { 'node_modules/b': { ...b, integrity: 'sha512-x' } } }],
    ['npm noted nothing', undefined],
  ])('is false when %s', (_what, installed) => {
    expect(holdsLocked(lock, installed)).toBe(false)
  })
})
