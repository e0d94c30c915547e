import { describe, expect, it } from 'vitest'
import { matchingSettings, provenanceText } from './provenance-text.ts'

describe('where a setting comes from', () => {
  it.each([
    ['default', null, 'default'],
    ['file', 'config/reliability.yml:12:5', 'config/reliability.yml:12:5'],
    ['environment', 'HOLDFAST_PORT', 'environment HOLDFAST_PORT'],
    ['runtime', 'anna', 'set at run time by anna'],
    ['runtime', null, 'set at run time'],
  ] as const)('%s %s', (source, where, expected) => {
    expect(provenanceText({ source, where })).toBe(expected)
  })

  it('S54: finds settings by path, value and origin, all words of the search together', () => {
    const settings = [
      { path: 'circuitBreakers.llm', name: 'openFor', value: '2s', source: 'file', where: 'a.yml:3:5' },
      { path: 'circuitBreakers.llm', name: 'probeTimeout', value: '30s', source: 'default', where: null },
    ] as const
    expect(matchingSettings(settings, 'LLM openfor')).toEqual([settings[0]])
    expect(matchingSettings(settings, 'default')).toEqual([settings[1]])
    expect(matchingSettings(settings, ' ')).toHaveLength(2)
    expect(matchingSettings(settings, 'nothing')).toHaveLength(0)
  })
})
