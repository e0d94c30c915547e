export { fakeClock, type FakeClock, type FakeClockOptions } from '../core/fake-clock.ts'
export { seededRandom, type Random } from '../core/random.ts'
