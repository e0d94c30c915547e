import { describe, expect, it } from 'vitest'
import { describeFault, formatFault, isFault, parseFault, type Fault } from './faults.ts'
import { readFaultArgument, readFaultRequest } from './fault-request.ts'

const texts = ['slow:5', 'rate-limit:0.5', 'outage:refuse', 'outage:reset:0.25', 'outage:error', 'stall', 'stall:0.5', 'cut:0.1']

describe('faults as text', () => {
  it.each([...texts, 'none'])('%s is read and written the same', (text) => {
    expect(formatFault(parseFault(text))).toBe(text)
  })

  it('what is left out has a default', () => {
    expect(parseFault('slow')).toEqual({ kind: 'slow', factor: 5 })
    expect(parseFault('outage')).toEqual({ kind: 'outage', mode: 'error', share: 1 })
    expect(parseFault('none')).toBeUndefined()
  })

  it.each([
    '',
    'slow:',
    'slow:0.5',
    'slow:x',
    'slow:2:3',
    'outage:maybe',
    'outage:reset:0',
    'outage:reset:1.5',
    'stall:2',
    'none:1',
    'cut:0.5:1',
    'fast',
    'outage:error:1:1',
  ])("'%s' is refused with every allowed form", (text) => {
    expect(() => parseFault(text)).toThrow(/allowed are none, slow\[:FACTOR\]/)
  })

  it.each(texts)('%s as data is recognised, also after JSON', (text) => {
    expect(isFault(JSON.parse(JSON.stringify(parseFault(text))))).toBe(true)
  })

  it.each([
    null,
    'slow',
    {},
    { kind: 'slow' },
    { kind: 'slow', factor: '5' },
    { kind: 'outage', mode: 'refuse' },
    { kind: 'cut', share: NaN },
    { kind: '__proto__' },
  ])('data that is no fault is not taken for one: %j', (value) => {
    expect(isFault(value)).toBe(false)
  })

  it('the words for people name share and mode', () => {
    const fault: Fault = { kind: 'outage', mode: 'reset', share: 0.5 }
    expect(describeFault(fault)).toBe('resets connections (50 % of requests)')
  })
})

describe('requests for faults', () => {
  it('reads service, fault and duration', () => {
    expect(readFaultRequest({ service: 'llm', fault: 'slow:3', forMs: 500 })).toEqual({
      service: 'llm',
      fault: { kind: 'slow', factor: 3 },
      forMs: 500,
    })
    expect(readFaultArgument('orders=none')).toEqual({ service: 'orders', fault: undefined })
    expect(readFaultArgument('search=script')).toEqual({ service: 'search', fault: 'script' })
  })

  it.each([
    [undefined, /'service' has to be one of llm, search, orders/],
    [{ service: 'db', fault: 'none' }, /'service'/],
    [{ service: 'llm' }, /'fault' has to be one of script, none/],
    [{ service: 'llm', fault: 'burn' }, /'burn' is not a fault/],
    [{ service: 'llm', fault: 'none', forMs: -1 }, /'forMs'/],
    [{ service: 'llm', fault: 'none', forMs: Infinity }, /'forMs'/],
  ])('says what is wrong with %j', (body, message) => {
    expect(() => readFaultRequest(body)).toThrow(message)
  })

  it('an argument without a service shows an example', () => {
    expect(() => readFaultArgument('slow')).toThrow(/for example llm=slow:5/)
  })
})
