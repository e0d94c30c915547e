export { fakeClock, type FakeClock, type FakeClockOptions } from '../core/fake-clock.ts'
export * from '../simulation/conformance/index.ts'
export * from '../simulation/index.ts'
export { seededRandom, type Random } from '../core/random.ts'
