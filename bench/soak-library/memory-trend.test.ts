import { describe, expect, it } from 'vitest'
import { memoryTrend } from './memory-trend.ts'

const samples = (bytesAt: (index: number) => number): number[] => Array.from({ length: 20 }, (_, index) => bytesAt(index))

describe('the trend of the heap', () => {
  it('is flat when it wavers about one size, whatever the warm-up was', () => {
    expect(memoryTrend(samples((index) => (index < 5 ? 5e6 * index : 2e7 + (index % 3) * 1e5))).flat).toBe(true)
  })

  it('is not flat when a hundred thousand bytes more stay with each sample', () => {
    expect(memoryTrend(samples((index) => 2e7 + index * 1e5))).toEqual({ grownBytes: 1e6, flat: true })
    expect(memoryTrend(samples((index) => 2e7 + index * 1.1e5)).flat).toBe(false)
  })
})
