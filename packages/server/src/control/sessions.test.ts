import { createHash } from 'node:crypto'
import { fakeClock } from 'holdfast/testing'
import { expect, it } from 'vitest'
import { Sessions } from './sessions.ts'
import { bearerOf, Tokens, type Token } from './tokens.ts'

const token = (name: string, role: Token['role'] = 'operate'): Token => ({
  name,
  role,
  sha256: createHash('sha256').update(`value of ${name}`).digest(),
})

function scene(max = 3): { clock: ReturnType<typeof fakeClock>; tokens: Tokens; sessions: Sessions } {
  const clock = fakeClock()
  const tokens = new Tokens([token('a'), token('b')])
  return { clock, tokens, sessions: new Sessions({ clock, tokens, maxAgeMs: 10_000, idleTimeoutMs: 3_000, max }) }
}

it('S4: a session ends when it is not used, and in any case in the end', () => {
  const { clock, sessions } = scene()
  const { id } = sessions.begin(token('a'))
  for (let count = 0; count < 4; count++) {
    clock.tick(2_400)
    expect(sessions.use(id)?.token.name).toBe('a')
  }
  clock.tick(400)
  expect(sessions.use(id)).toBeUndefined()
  const idle = sessions.begin(token('a'))
  clock.tick(3_000)
  expect(sessions.use(idle.id)).toBeUndefined()
  expect(sessions.count).toBe(0)
})

it('ids are long, random, and known to nobody but the browser', () => {
  const { sessions } = scene(1_000)
  const ids = new Set(Array.from({ length: 500 }, () => sessions.begin(token('a')).id))
  expect(ids.size).toBe(500)
  for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(32)
  expect(JSON.stringify([...(sessions as unknown as { entries: Map<string, unknown> }).entries])).not.toContain([...ids][0])
})

it('a token that is no more ends its sessions; another role holds at once', () => {
  const { tokens, sessions } = scene()
  const [a, b] = [sessions.begin(token('a')).id, sessions.begin(token('b')).id]
  tokens.set([token('b', 'read')])
  expect(sessions.use(a)).toBeUndefined()
  expect(sessions.use(b)?.token.role).toBe('read')
  tokens.set([token('a'), token('b')])
  expect(sessions.use(a)).toBeUndefined()
})

it('their number is bounded: the longest unused one gives way', () => {
  const { clock, sessions } = scene()
  const ids = [1, 2, 3].map(() => sessions.begin(token('a')).id)
  clock.tick(1)
  sessions.use(ids[0] ?? '')
  const fourth = sessions.begin(token('b')).id
  expect(sessions.count).toBe(3)
  expect(ids.map((id) => sessions.use(id) !== undefined)).toEqual([true, false, true])
  expect(sessions.use(fourth)).toBeDefined()
})

it('S4: every token is compared, and only a whole one is found', () => {
  const { tokens } = scene()
  expect(tokens.find('value of b')?.name).toBe('b')
  for (const wrong of ['value of', 'value of bb', '', 'VALUE OF B']) expect(tokens.find(wrong)).toBeUndefined()
})

it.each([
  ['Bearer abc', 'abc'],
  ['bearer  abc ', 'abc'],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  [`Bearer ${'x'.repeat(513)}`, undefined],
  [undefined, undefined],
])('the header %j shows the token %j', (header, value) => {
  expect(bearerOf(header)).toBe(value)
})
