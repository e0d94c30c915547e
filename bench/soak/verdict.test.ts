import { describe, expect, it } from 'vitest'
import type { SoakSample } from './sample.ts'
import { judge, type SoakEnd } from './verdict.ts'

const steady: SoakSample = {
  at: 0,
  residentMiB: 120,
  heapMiB: 40,
  descriptors: 300,
  inFlight: 0,
  upstreamOpen: 0,
  metricsMs: 5,
  machineLoad: 1,
  cpuSeconds: 0,
  sent: 0,
  hanging: 0,
}

/** An hour of samples; `change` says how each differs from the steady state. */
function hour(change: (minute: number) => Partial<SoakSample>): SoakSample[] {
  return Array.from({ length: 360 }, (_, index) => ({ ...steady, at: index * 10, ...change(index / 6) }))
}

function end(changes: Partial<SoakEnd> = {}): SoakEnd {
  return { samples: hour(() => ({})), idle: steady, hanging: 0, exitedWhenAsked: true, ...changes }
}

describe('the verdict of a soak', () => {
  it('passes a server that stays as it is', () => {
    expect(judge(end())).toMatchObject({ passed: true, judgedGrowth: true, reasons: [] })
  })

  it('takes no offence at memory that settles during warm-up, nor at what comes and goes with the load', () => {
    const samples = hour((minute) => ({ residentMiB: minute < 15 ? 80 + minute * 3 : 120, descriptors: minute % 2 < 1 ? 300 : 600 }))
    expect(judge(end({ samples }))).toMatchObject({ passed: true })
  })

  it('finds memory that grows slowly but steadily', () => {
    const verdict = judge(end({ samples: hour((minute) => ({ residentMiB: 120 + minute / 2 })) }))
    expect(verdict.trendMiBPerHour).toBeCloseTo(30)
    expect(verdict.reasons).toEqual([expect.stringContaining('resident memory grew by 21 MiB')])
  })

  it('finds descriptors that are never given back', () => {
    const verdict = judge(end({ samples: hour((minute) => ({ descriptors: 300 + Math.round(minute * 4) })) }))
    expect(verdict.reasons).toEqual([expect.stringContaining('open descriptors grew by')])
  })

  it.each([
    [{ hanging: 1 }, '1 clients had no answer'],
    [{ idle: { ...steady, inFlight: 2 } }, '2 requests are under way'],
    [{ idle: { ...steady, upstreamOpen: 3 } }, '3 upstream requests are open'],
    [{ exitedWhenAsked: false }, 'did not end as it should'],
  ] satisfies [Partial<SoakEnd>, string][])('fails for %o', (changes, reason) => {
    expect(judge(end(changes)).reasons).toEqual([expect.stringContaining(reason)])
  })

  it('judges no growth in a run of a minute', () => {
    const samples = hour((minute) => ({ residentMiB: 120 + minute * 40 })).slice(0, 6)
    expect(judge(end({ samples }))).toMatchObject({ passed: true, judgedGrowth: false })
  })
})
