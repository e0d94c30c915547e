import { expect, it } from 'vitest'
import { execForm, parseDockerfile } from './dockerfile.ts'

it('reads stages, options, continued lines and comments in between', () => {
  const { args, stages } = parseDockerfile(
    'ARG A=b=c\n# why\nFROM ${A} AS one\nRUN first \\\n# not a part\n  && second\nFROM x\nCOPY --from=one --chown=0:0 /a /b\n',
  )
  expect(args.get('A')).toBe('b=c')
  expect(stages.map(({ image, name }) => [image, name])).toEqual([
    ['${A}', 'one'],
    ['x', undefined],
  ])
  expect(stages[0]?.instructions[0]).toMatchObject({ name: 'RUN', text: 'first && second', line: 4 })
  expect(stages[1]?.instructions[0]).toMatchObject({ text: '/a /b', options: new Map(Object.entries({ from: 'one', chown: '0:0' })) })
})

it.each(['FROM x\nRUNN y', 'RUN before', 'FROM x\nRUN <<EOF', 'FROM x as', 'FROM x\nRUN y \\'])(
  'fails on what it does not know: %j',
  (text) => {
    expect(() => parseDockerfile(text)).toThrow(/^line \d: cannot read/)
  },
)

it('tells a command with a shell from one without', () => {
  expect(execForm('["node", "x"]')).toEqual(['node', 'x'])
  expect(execForm('node x')).toBeUndefined()
})
