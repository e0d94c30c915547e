import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  bulkhead,
  circuitBreaker,
  fallback,
  pipeline,
  policy,
  retry,
  timeout,
  type Acquirable,
  type AlternativeOf,
  type Call,
  type Fallback,
  type Outcome,
  type Pipeline,
  type PolicyLike,
  type Refusal,
} from 'holdfast'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { root, scratch } from '../../tools/workspace.mjs'

const number = (): Promise<number> => Promise.resolve(1)

describe('what execute answers', () => {
  it('is what the function answers, promise or not', () => {
    expectTypeOf(retry().execute(() => 1)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(retry().execute(number)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(pipeline(retry(), timeout('1s')).execute(number)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(pipeline().execute(number)).toEqualTypeOf<Promise<number>>()
  })

  it('or the alternative that a policy gives in its place', () => {
    expectTypeOf(fallback('none').execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(fallback(async () => new Date()).execute(number)).toEqualTypeOf<Promise<number | Date>>()
    expectTypeOf(fallback({ value: null }).execute(number)).toEqualTypeOf<Promise<number | null>>()
    expectTypeOf(circuitBreaker({ fallback: 'none' }).execute(number)).toEqualTypeOf<Promise<number | string>>()
    expectTypeOf(circuitBreaker().execute(number)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(policy<Date>({ name: 'mine', parts: [] }).execute(number)).toEqualTypeOf<Promise<number | Date>>()
  })

  it('of a pipeline has the alternatives of all its policies, also of those in pipelines inside', () => {
    const inner = pipeline({ name: 'inner' }, circuitBreaker({ fallback: 'none' }), bulkhead({ maxConcurrent: 1 }))
    expectTypeOf(inner).toEqualTypeOf<Pipeline<string>>()
    expectTypeOf(pipeline(fallback(null), retry(), inner).execute(number)).toEqualTypeOf<Promise<number | string | null>>()
    expectTypeOf(pipeline(retry(), timeout('1s'))).toEqualTypeOf<Pipeline>()
  })

  it('is unknown where a policy does not say', () => {
    const list: readonly PolicyLike[] = [fallback('none')]
    expectTypeOf(pipeline(...list).execute(number)).toEqualTypeOf<Promise<unknown>>()
    expectTypeOf<AlternativeOf<PolicyLike>>().toEqualTypeOf<unknown>()
    expectTypeOf<AlternativeOf<Fallback<Date>>>().toEqualTypeOf<Date>()
  })

  it('cannot be narrowed by forgetting the alternative', () => {
    // @ts-expect-error a fallback may answer a string
    const forgotten: Pipeline = pipeline(fallback('none'))
    expect(forgotten.kind).toBe('pipeline')
  })
})

describe('the other ways to run a function', () => {
  it('tryExecute tells values, errors and refusals apart', async () => {
    const outcome = await pipeline(fallback('none')).tryExecute(number)
    expectTypeOf(outcome).toEqualTypeOf<Outcome<number | string>>()
    if (outcome.ok) expectTypeOf(outcome.value).toEqualTypeOf<number | string>()
    else if (outcome.refusal !== undefined) expectTypeOf(outcome.refusal).toEqualTypeOf<Refusal>()
    else expectTypeOf(outcome.error).toBeUnknown()
  })

  it('wrap keeps this and the arguments, and adds the alternative', () => {
    function add(this: { base: number }, left: number, right?: string): number {
      return this.base + left + (right?.length ?? 0)
    }
    expectTypeOf(retry().wrap(add)).toEqualTypeOf<(this: { base: number }, left: number, right?: string) => Promise<number>>()
    expectTypeOf(fallback('none').wrap(async (text: string) => text.length)).returns.toEqualTypeOf<Promise<number | string>>()
  })

  it('the function is given a Call, and nothing in it is any', () => {
    void retry().execute((call) => {
      expectTypeOf(call).toEqualTypeOf<Call>()
      expectTypeOf(call.context).toBeUnknown()
      expectTypeOf(call.cancelled).toBeUnknown()
      return call.signal.aborted
    })
  })

  it('permits are for gates only', () => {
    expectTypeOf(bulkhead({ maxConcurrent: 1 })).toExtend<Acquirable>()
    expectTypeOf(circuitBreaker()).toExtend<Acquirable>()
    expectTypeOf(policy({ name: 'mine', parts: { kind: 'gate', admit: () => 'in', settle: () => undefined } })).toExtend<Acquirable>()
    for (const none of [retry(), timeout('1s'), pipeline(bulkhead({ maxConcurrent: 1 }))]) expectTypeOf(none).not.toExtend<Acquirable>()
  })
})

describe('what does not compile', () => {
  it.each<[string, () => unknown]>([
    // @ts-expect-error a promise is no function
    ['a promise instead of a function', () => retry().execute(number())],
    // @ts-expect-error seconds are written '5s'
    ['a duration without its unit', () => timeout('5')],
    // @ts-expect-error there is no such priority
    ['a priority that is none', () => retry().execute(number, { priority: 'urgent' })],
    // @ts-expect-error a function is no policy
    ['a function instead of a policy', () => pipeline(retry(), number)],
    // @ts-expect-error a flow starts
    ['a flow that cannot start', () => policy({ name: 'mine', parts: { kind: 'flow' } })],
  ])('%s', (_what, write) => {
    expect(write).toBeTypeOf('function') // the line above is the test: the compiler complains if it has nothing to complain of
  })
})

it('all of this holds for the compiler', async () => {
  mkdirSync(scratch, { recursive: true })
  const folder = mkdtempSync(join(scratch, 'types-'))
  try {
    const config = { extends: join(root, 'tsconfig.check.json'), files: [import.meta.filename], include: [] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const errors = await promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { cwd: root }).then(
      () => '',
      ({ stdout }: { stdout: string }) => stdout,
    )
    expect(errors).toBe('')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
