import { describe, expect, it } from 'vitest'
import type { Case, Figure, Gate, Result, Role } from './case.ts'
import { withCosts } from './cost-section.ts'
import { judge } from './gates.ts'

const figure = (contestant: string, role: Role, median: number): Figure => ({ contestant, role, median, deviation: 0 })

function row(name: string, gates: readonly Gate[], figures: readonly Figure[]): Result {
  const subject: Case = { kind: 'timed', name, title: `row ${name}`, note: '', unit: 'ns', gates, page: 'x', contestants: () => [] }
  return { case: subject, figures }
}

const figures = [
  figure('bare', 'bare', 50),
  figure('holdfast', 'ours', 100),
  figure('fast 1.0', 'peer', 125),
  figure('slow 2.0', 'peer', 400),
  figure('less 3.0', 'reference', 10),
]

describe('gates', () => {
  it.each([
    ['best peer', 0.8, 0.8, true],
    ['best peer', 0.79, 0.8, false],
    ['slow', 0.2, 0.25, false],
    ['bare', 2, 2, true],
    ['nothing', 99, 100, false],
  ] as const)('compares ours with %s: at most %d, measured %d', (versus, atMost, measured, held) => {
    const [judgement] = judge([row('a', [{ kind: 'must', versus, atMost }], figures)])
    expect(judgement).toMatchObject({ measured, held })
  })

  it('compares a row with another, and leaves out what was not measured', () => {
    const gate: Gate = { kind: 'must', versus: { case: 'small' }, atMost: 2 }
    const big = row('big', [gate], [figure('holdfast', 'ours', 300)])
    const small = row('small', [], [figure('holdfast', 'ours', 100)])
    expect(judge([big])).toEqual([])
    expect(judge([small, big])).toMatchObject([{ measured: 3, held: false, versus: 'row small' }])
    expect(judge([row('a', [{ kind: 'must', versus: 'unknown', atMost: 1 }], figures)])).toEqual([])
  })
})

describe('the cost section of a page', () => {
  it('is written anew, and the rest of the page stays', () => {
    const page = '# X\n\n## Options\n\ntext\n\n## Cost\n\nold\n\n## After\n\nmore\n'
    const written = withCosts(page, [row('a', [], figures)])
    expect(written).toContain('- row a: 100 ns; 2.00 × the bare call, 0.80 × fast 1.0.')
    expect(written).not.toContain('old')
    expect(written).toMatch(/^# X\n\n## Options\n\ntext\n\n## Cost\n/)
    expect(written).toMatch(/\n\n## After\n\nmore\n$/)
    expect(withCosts(written, [row('a', [], figures)])).toBe(written)
    expect(withCosts('# X\n', [row('a', [], figures)])).toMatch(/^# X\n\n## Cost\n/)
  })
})
