import { fakeClock, type FakeClock } from 'holdfast/testing'
import { vi } from 'vitest'

/** How one run of the protected function goes: at once, after 30 ms, not until its signal is aborted, or never. */
export type Kind = 'ok' | 'fail' | 'slow ok' | 'slow fail' | 'hang' | 'deaf'

export type Step =
  | { readonly do: 'call'; readonly plans: readonly (readonly Kind[])[] }
  | { readonly do: 'advance'; readonly ms: number }
  /** The caller of one of the calls that have not been answered leaves. */
  | { readonly do: 'abort'; readonly which: number }

/** One of the two that are compared. */
export interface Subject {
  /** Starts a call; what it answers is one word. */
  call(run: (signal: AbortSignal | undefined) => Promise<string>, signal: AbortSignal): Promise<string>
  state(): string
}

/** What can be seen of a subject after a step. */
export interface View {
  readonly state: string
  /** Of every call so far, in their order. */
  readonly answers: readonly string[]
  /** How often the function ran for each call. */
  readonly runs: readonly number[]
}

const slowMs = 30

interface Run {
  readonly dueAt: number
  readonly call: number
  settle(): void
}

/** A subject with the calls that were made through it. */
export class Side {
  readonly subject: Subject
  readonly answers: string[] = []
  readonly runs: number[] = []
  /** Runs that have ended, in their order. */
  readonly ended: ('ok' | 'fail')[] = []
  /** Runs that go on, in their order. */
  running: Run[] = []
  private readonly now: () => number

  constructor(subject: Subject, now: () => number) {
    this.subject = subject
    this.now = now
  }

  call(plan: readonly Kind[], signal: AbortSignal): void {
    const index = this.answers.length
    this.answers.push('pending')
    this.runs.push(0)
    const answered = this.subject.call((own) => this.work(index, plan, own), signal)
    void answered.then((answer) => (this.answers[index] = answer))
  }

  view(): View {
    return { state: this.subject.state(), answers: [...this.answers], runs: [...this.runs] }
  }

  private work(call: number, plan: readonly Kind[], signal: AbortSignal | undefined): Promise<string> {
    const kind = plan[Math.min(this.runs[call] as number, plan.length - 1)] as Kind
    this.runs[call]!++
    if (kind === 'ok' || kind === 'fail') this.ended.push(kind)
    if (kind === 'ok') return Promise.resolve('ok')
    if (kind === 'fail') return Promise.reject(new Error('down'))
    if (kind === 'deaf') return new Promise(() => undefined)
    return new Promise((resolve, reject) => {
      const run: Run = {
        call,
        dueAt: kind === 'hang' ? Infinity : this.now() + slowMs,
        settle: () => {
          this.ended.push(kind === 'slow ok' ? 'ok' : 'fail')
          if (kind === 'slow ok') resolve('ok')
          else reject(new Error('down'))
        },
      }
      this.running.push(run)
      const leave = (): void => {
        this.running = this.running.filter((other) => other !== run)
        reject(new DOMException('left', 'AbortError'))
      }
      if (signal?.aborted === true) leave()
      else signal?.addEventListener('abort', leave, { once: true })
    })
  }
}

/** What has happened in a script so far, for the conditions of intended differences. */
export interface Happened {
  readonly step: Step
  /** Before the step. */
  readonly before: { readonly ours: View; readonly theirs: View }
  readonly ours: View
  readonly theirs: View
  /** Calls, of ours, that began in this step while the peer was half-open. */
  readonly besideProbe: readonly number[]
  /** A run ended in this step that had begun before a state of either side changed, while the peer was not open. */
  readonly staleEnding: boolean
  /** Milliseconds that have passed in this script. */
  readonly passedMs: number
  /** How our runs have ended, in their order. */
  readonly ended: readonly ('ok' | 'fail')[]
  /** Whether the peer has closed its circuit before. */
  readonly hasClosed: boolean
}

/** Plays scripts to one of ours and one of a peer, on clocks that move together. */
export class Scene {
  readonly clock: FakeClock
  readonly ours: Side
  readonly theirs: Side
  private readonly callers: AbortController[] = []
  private readonly beganIn = new Map<Run, string>()
  private passedMs = 0
  private hasClosed = false
  private staleEnding = false

  constructor(ours: (clock: FakeClock) => Subject, theirs: () => Subject) {
    this.clock = fakeClock({ wallMs: Date.now() })
    const now = (): number => this.passedMs
    this.ours = new Side(ours(this.clock), now)
    this.theirs = new Side(theirs(), now)
  }

  async take(step: Step): Promise<Happened> {
    const before = { ours: this.ours.view(), theirs: this.theirs.view() }
    const besideProbe: number[] = []
    this.staleEnding = false
    if (step.do === 'call') {
      for (const plan of step.plans) {
        if (this.theirs.subject.state() === 'half-open') besideProbe.push(this.ours.answers.length)
        const caller = new AbortController()
        this.callers.push(caller)
        this.ours.call(plan, caller.signal)
        this.theirs.call(plan, caller.signal)
      }
      await this.settle()
    } else if (step.do === 'abort') {
      const waiting = this.callers.filter((_, index) => this.ours.answers[index] === 'pending' || this.theirs.answers[index] === 'pending')
      waiting[step.which % Math.max(1, waiting.length)]?.abort(new DOMException('left', 'AbortError'))
      await this.settle()
    } else await this.advance(step.ms)
    const [ours, theirs] = [this.ours.view(), this.theirs.view()]
    const happened = {
      step,
      before,
      ours,
      theirs,
      besideProbe,
      staleEnding: this.staleEnding,
      passedMs: this.passedMs,
      ended: [...this.ours.ended],
      hasClosed: this.hasClosed,
    }
    if (before.theirs.state !== 'closed' && theirs.state === 'closed') this.hasClosed = true
    return happened
  }

  /** Time moves on, and what falls due happens at its instant on both sides. */
  private async advance(ms: number): Promise<void> {
    const end = this.passedMs + ms
    for (;;) {
      const due = Math.min(...[...this.ours.running, ...this.theirs.running].map(({ dueAt }) => dueAt), end)
      await this.moveTo(due)
      for (const side of [this.ours, this.theirs]) {
        const ending = side.running.filter(({ dueAt }) => dueAt <= this.passedMs)
        side.running = side.running.filter((run) => !ending.includes(run))
        for (const run of ending) {
          if (this.beganIn.get(run) !== this.states() && this.theirs.subject.state() !== 'open') this.staleEnding = true
          run.settle()
          await this.settle()
        }
      }
      if (this.passedMs >= end && ![...this.ours.running, ...this.theirs.running].some(({ dueAt }) => dueAt <= end)) return
    }
  }

  private async moveTo(at: number): Promise<void> {
    const by = at - this.passedMs
    this.passedMs = at
    await vi.advanceTimersByTimeAsync(by)
    await this.clock.advance(by)
    await this.settle()
  }

  private states(): string {
    return `${this.ours.subject.state()} ${this.theirs.subject.state()} ${this.changes}`
  }

  /** Counts the changes of state, so that two stays in one state are told apart. */
  private changes = 0
  private last = ''

  private async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await this.clock.settle()
    const states = `${this.ours.subject.state()} ${this.theirs.subject.state()}`
    if (this.last !== '' && states !== this.last) this.changes++
    this.last = states
    for (const run of [...this.ours.running, ...this.theirs.running]) if (!this.beganIn.has(run)) this.beganIn.set(run, this.states())
  }
}
