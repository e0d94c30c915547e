import { describe, expect, it } from 'vitest'
import { assembleProgram, findSnippets } from './markdown-snippets.ts'

const page = [
  '# Orders', // 1
  '', // 2
  '<!-- setup: orders -->', // 3
  '```ts', // 4
  'const order = await place()', // 5
  '```', // 6
  'then', // 7
  '<!-- continues -->', // 8
  '', // 9
  '```ts', // 10
  'await cancel(order)', // 11
  '```', // 12
  '```sh test', // 13
  'holdfast --version', // 14
  '```', // 15
].join('\n')

describe('findSnippets', () => {
  it('gives each block its language, flags, line and directives', () => {
    expect(findSnippets(page)).toEqual([
      { language: 'ts', flags: [], line: 5, code: 'const order = await place()', directives: new Map([['setup', 'orders']]) },
      { language: 'ts', flags: [], line: 11, code: 'await cancel(order)', directives: new Map([['continues', '']]) },
      { language: 'sh', flags: ['test'], line: 14, code: 'holdfast --version', directives: new Map() },
    ])
  })

  it('keeps a fence inside a longer fence, and ends an unclosed block at the end of the page', () => {
    expect(findSnippets('````md\n```ts\nx\n```\n````\n~~~ts\ny').map(({ language, code }) => [language, code])).toEqual([
      ['md', '```ts\nx\n```'],
      ['ts', 'y'],
    ])
  })

  it('forgets a directive that other text separates from the block', () => {
    expect(findSnippets('<!-- continues -->\ntext\n```ts\nx\n```')[0]?.directives).toEqual(new Map())
  })
})

describe('assembleProgram', () => {
  const snippets = findSnippets(page)
  const program = (index: number): readonly string[] => {
    const snippet = snippets[index]
    return snippet ? assembleProgram(snippets, snippet, (name) => `// ${name}\n`).split('\n') : []
  }

  it('puts the setup first and keeps the code on the line it has on the page', () => {
    expect(program(0)).toEqual(['// orders', '', '', '', 'const order = await place()', ''])
  })

  it('puts the blocks that are continued above, each on its own line', () => {
    const lines = program(1)
    expect([lines[0], lines[4], lines[10]]).toEqual(['// orders', 'const order = await place()', 'await cancel(order)'])
  })
})
