import type { Scenario, SimulatedDependency } from '../scenario.ts'

/** Sixteen workers, 40 ms a call: 400 calls per second. */
const server: SimulatedDependency = { workers: 16, service: { kind: 'lognormal', meanMs: 40, sigma: 0.5 } }
const capacity = 400
const deadlineMs = 1_000

/** So many pauses of a garbage collector that stops everything. */
const pauses = Array.from({ length: 17 }, (_, index) => ({ fromMs: 5_000 * (index + 1), toMs: 5_000 * (index + 1) + 500 }))

/** From `fromMs` on one after another: 2 s at full capacity, 4 s at a tenth of it. */
const bursts = Array.from({ length: 14 }, (_, index) => [
  { fromMs: index * 6_000, value: 0.1 * capacity },
  { fromMs: index * 6_000 + 4_000, value: capacity },
]).flat()

/**
 * Worlds in which a limit on concurrency has to find its own size. The pipeline stands before the server and does not know its callers'
 * deadline. Each is hard for a different reason; an algorithm is as good as its worst phase.
 */
export const concurrencyScenarios: readonly Scenario[] = [
  {
    name: 'steady',
    title: 'Load of 60 %: nothing should happen at all',
    durationMs: 60_000,
    load: { rate: 0.6 * capacity, deadlineMs },
    dependency: server,
    phases: [{ name: 'steady', fromMs: 0, toMs: 60_000 }],
  },
  {
    name: 'overload',
    title: 'Twice the load that the server can bear',
    durationMs: 70_000,
    load: {
      rate: [
        { fromMs: 0, value: 0.6 * capacity },
        { fromMs: 10_000, value: 2 * capacity },
      ],
      deadlineMs,
    },
    dependency: server,
    phases: [{ name: 'overload', fromMs: 15_000, toMs: 70_000 }],
  },
  {
    name: 'retry storm',
    title: 'Twice the load for 20 s, and every caller asks up to three times',
    durationMs: 110_000,
    load: {
      rate: [
        { fromMs: 0, value: 0.6 * capacity },
        { fromMs: 10_000, value: 2 * capacity },
        { fromMs: 30_000, value: 0.6 * capacity },
      ],
      deadlineMs,
      retries: 2,
      retryDelay: { kind: 'uniform', fromMs: 0, toMs: 200 },
    },
    dependency: server,
    phases: [{ name: 'after', fromMs: 32_000, toMs: 110_000 }],
  },
  {
    name: 'slow server',
    title: 'The server loses two thirds of its capacity for a minute',
    durationMs: 100_000,
    load: { rate: 0.6 * capacity, deadlineMs },
    dependency: {
      ...server,
      slowdown: [
        { fromMs: 0, value: 1 },
        { fromMs: 20_000, value: 3 },
        { fromMs: 80_000, value: 1 },
      ],
    },
    phases: [
      { name: 'slow', fromMs: 25_000, toMs: 80_000 },
      { name: 'well again', fromMs: 82_000, toMs: 100_000 },
    ],
  },
  {
    name: 'harmless latency',
    title: 'Each call takes 200 ms longer on its way, which costs the server nothing',
    durationMs: 120_000,
    load: { rate: 0.6 * capacity, deadlineMs },
    dependency: {
      ...server,
      addedLatencyMs: [
        { fromMs: 0, value: 0 },
        { fromMs: 30_000, value: 200 },
      ],
    },
    phases: [
      { name: 'first 30 s', fromMs: 30_000, toMs: 60_000 },
      { name: 'later', fromMs: 60_000, toMs: 120_000 },
    ],
  },
  {
    name: 'bursts',
    title: 'Two seconds at full capacity, four nearly idle, again and again',
    durationMs: 84_000,
    load: { rate: bursts, deadlineMs },
    dependency: server,
    phases: [{ name: 'bursts', fromMs: 6_000, toMs: 84_000 }],
  },
  {
    name: 'stable timeout',
    title: 'For 40 s every call ends at a timeout of 5 s: latency is high, and does not move',
    durationMs: 106_000,
    load: { rate: 0.6 * capacity, deadlineMs },
    dependency: {
      ...server,
      hangRatio: [
        { fromMs: 0, value: 0 },
        { fromMs: 20_000, value: 1 },
        { fromMs: 60_000, value: 0 },
      ],
      hangsForMs: 5_000,
    },
    phases: [{ name: 'after', fromMs: 66_000, toMs: 106_000 }],
  },
  {
    name: 'long calls',
    title: 'One call per second that takes 12 s, then twice as many as can be answered: few samples',
    durationMs: 1_500_000,
    load: {
      rate: [
        { fromMs: 0, value: 1 },
        { fromMs: 600_000, value: 2.667 },
      ],
      deadlineMs: 60_000,
    },
    dependency: { workers: 16, service: { kind: 'lognormal', meanMs: 12_000, sigma: 0.6 } },
    phases: [
      { name: 'steady', fromMs: 0, toMs: 600_000 },
      { name: 'overload', fromMs: 720_000, toMs: 1_500_000 },
    ],
  },
  {
    name: 'slow drift',
    title: 'The server becomes three times slower within three minutes: what was normal before is forgotten',
    durationMs: 260_000,
    load: { rate: 0.5 * capacity, deadlineMs },
    dependency: {
      ...server,
      slowdown: [
        { fromMs: 0, value: 1 },
        { fromMs: 20_000, value: 1, rampTo: 3 },
        { fromMs: 200_000, value: 3 },
      ],
    },
    phases: [
      { name: 'drift', fromMs: 20_000, toMs: 200_000 },
      { name: 'after', fromMs: 200_000, toMs: 260_000 },
    ],
  },
  {
    name: 'two priorities',
    title: 'Twice the load; a quarter of it is of high priority, and all of that could be answered',
    durationMs: 65_000,
    load: [
      { rate: 1.5 * capacity, deadlineMs, priority: 'low' },
      { rate: 0.5 * capacity, deadlineMs, priority: 'high' },
    ],
    dependency: server,
    phases: [{ name: 'overload', fromMs: 5_000, toMs: 65_000 }],
  },
  {
    name: 'twenty clients',
    title: 'Twenty clients, each with its own limit, before one server at twice its load; half of them come later',
    durationMs: 80_000,
    clients: 20,
    load: [
      { rate: capacity, deadlineMs: 2_000, clients: [0, 9] },
      {
        rate: [
          { fromMs: 0, value: 0 },
          { fromMs: 20_000, value: capacity },
        ],
        deadlineMs: 2_000,
        clients: [10, 19],
      },
    ],
    dependency: { workers: 64, service: { kind: 'lognormal', meanMs: 160, sigma: 0.5 } },
    phases: [{ name: 'all twenty', fromMs: 30_000, toMs: 80_000 }],
  },
  {
    name: 'pauses',
    title: 'Every 5 s all workers stand still for 500 ms, at a load of 60 %',
    durationMs: 90_000,
    load: { rate: 0.6 * capacity, deadlineMs },
    dependency: { ...server, pauses },
    phases: [{ name: 'pauses', fromMs: 4_000, toMs: 90_000 }],
  },
]
