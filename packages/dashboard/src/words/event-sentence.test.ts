import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventView } from '@holdfast/server/wire'
import { describe, expect, it } from 'vitest'
import { eventSentence, isKnownEventType } from './event-sentence.ts'

function sentence(type: string, data: EventView['data'] = {}, policy = 'circuit-breaker/llm'): string {
  const { subject, text } = eventSentence({ id: 1, type, policy, at: 0, data })
  return `${subject} ${text}`
}

describe('an event as a sentence', () => {
  it.each([
    [
      'circuit.opened',
      { reason: { rule: 'failure-ratio' }, failures: 12, calls: 20, openForMs: 2_000 },
      'llm opened its circuit: 12 of 20 calls failed (60.0 %); next probe after 2 s',
    ],
    [
      'circuit.opened',
      { reason: { rule: 'manual' }, openForMs: null, forced: true },
      'llm opened its circuit (forced): by hand; it stays open until somebody closes it',
    ],
    [
      'circuit.opened',
      { reason: { rule: 'slow-call-ratio' }, slowCalls: 9, calls: 10, openForMs: 65_000 },
      'llm opened its circuit: 9 of 10 calls were slow (90.0 %); next probe after 1 min 5 s',
    ],
    ['circuit.half-opened', {}, 'llm lets a first probe through its open circuit'],
    ['circuit.closed', { from: 'half-open', manual: false }, 'llm closed its circuit: the probes succeeded'],
    ['circuit.closed', { from: 'open', manual: true }, 'llm closed its circuit by hand (it was open)'],
    [
      'circuit.would-have-opened',
      { reason: { rule: 'consecutive-failures' }, failures: 5 },
      'llm would have opened its circuit, but only watches: 5 calls failed in a row',
    ],
    [
      'retry.scheduled',
      { attempt: 2, delayMs: 220, error: 'UpstreamFailure 503' },
      'llm asks again in 220 ms (attempt 2) after UpstreamFailure 503',
    ],
    ['retry.exhausted', { attempts: 3 }, 'llm gave up after 3 attempts'],
    ['retry.budget-exhausted', { budget: 'standard' }, 'llm did not ask again: the retry budget standard is used up'],
    ['timeout.fired', { afterMs: 8_000 }, 'llm gave up a call after 8 s'],
    ['timeout.late', { lateByMs: 1_500 }, 'llm saw work end that it had given up, 1.5 s late'],
    [
      'bulkhead.rejected',
      { code: 'ERR_BULKHEAD_FULL', running: 10, queued: 20 },
      'llm refused a call: no place and no seat in the queue was free (10 running, 20 waiting)',
    ],
    ['bulkhead.resized', { from: 10, to: 4 }, 'llm now has 4 places instead of 10'],
    [
      'limiter.rejected',
      { code: 'ERR_RATE_LIMITED', key: 'tenant-7', retryAfterMs: 400 },
      'llm refused a call for the key tenant-7: the limit is used up; there is room in 400 ms',
    ],
    ['limiter.paused', { key: null, forMs: 5_000 }, 'llm pauses all callers for 5 s: asked to wait'],
    ['limiter.resumed', { key: null }, 'llm lets callers through again'],
    [
      'fallback.used',
      { error: 'HoldfastError ERR_CIRCUIT_OPEN' },
      'llm answered with its fallback; the call ended with HoldfastError ERR_CIRCUIT_OPEN',
    ],
    ['retry.callback-failed', { callback: 'retryOn', error: 'TypeError' }, 'llm called its function retryOn and it failed: TypeError'],
    [
      'control.changed',
      { action: 'isolate', by: 'anna', reason: 'provider asks for it' },
      'llm was isolated by anna: provider asks for it',
    ],
    [
      'control.changed',
      { action: 'force-open', by: 'anna', reason: 'drill', expiresAt: 3_600_000 },
      'llm was forced open for 1 h by anna: drill',
    ],
    [
      'control.forced-ended',
      { action: 'isolate', by: 'anna', expired: true },
      'llm decides for itself again: the time is over (it had been: isolate)',
    ],
    ['control.silenced', { by: 'anna', reason: 'known', expiresAt: 900_000 }, 'llm was silenced for 15 min by anna: known'],
    ['control.silence-ended', { by: 'anna', expired: false }, 'llm is silenced no more: taken back by anna'],
    ['control.noted', { by: 'ci', text: 'deploy 1.2.3' }, 'llm deploy 1.2.3 (ci)'],
  ])('%s', (type, data, expected) => {
    expect(sentence(type, data)).toBe(expected)
  })

  it('shows a type it does not know as it came, with its figures', () => {
    expect(sentence('quota.borrowed', { amount: 3, from: 'eu', nested: { a: 1 } })).toBe('llm quota.borrowed (amount 3, from eu)')
  })

  it('says what it can when figures are missing or of another kind', () => {
    expect(sentence('circuit.opened')).toBe('llm opened its circuit; it stays open until somebody closes it')
    expect(sentence('circuit.opened', { reason: { rule: 'failure-ratio' }, failures: '12', openForMs: 1_000 })).toBe(
      'llm opened its circuit: too many calls failed; next probe after 1 s',
    )
    expect(sentence('bulkhead.resized', { from: null })).toBe('llm now has some places instead of some')
  })

  it('names the subject of what concerns no policy', () => {
    expect(sentence('system.policy-removed', {}, 'search')).toBe('search is no more')
  })

  it.each(['holdfast', 'server'])('has words for every type of event that packages/%s emits', (name) => {
    const folder = join(import.meta.dirname, '../../..', name, 'src')
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /^(?!simulation)[^]*(?<!\.test|\.fixture)\.ts$/.test(path),
    )
    const types = new Set(
      sources.flatMap((path) =>
        [...readFileSync(join(folder, path), 'utf8').matchAll(/\btype: '([a-z]+\.[a-z-]+)'/g)].map(([, type = '']) => type),
      ),
    )
    expect(types.size).toBeGreaterThan(3)
    expect([...types].filter((type) => !isKnownEventType(type))).toEqual([])
  })
})
