import type { Random } from '../../core/random.ts'
import type { ConcurrencyAlgorithm, ConcurrencySample, LimitBounds } from './algorithm.ts'
import { ResponseEvidence } from './evidence.ts'
import { RecentPeaks } from './peaks.ts'
import { latencyResponse, SampleWindow } from './sample-window.ts'

/** Answers a window wants, and those a comparison wants; in slow traffic fewer do, after more round trips. */
const windowSamples = 60
const comparisonSamples = 100
/** A queue or a full house has to last so long, in ms, before anything is done about it: bursts pass by themselves. */
const patienceMs = 1_000
/** How long the most calls in flight are remembered, in ms. */
const peakMemoryMs = 10_000
/** Time constant, in ms, with which the base latency follows one that grows. */
const baseRiseMs = 60_000
/** Share of calls without a place from which the limit counts as what holds them up, and below which it does not. */
const fullRatio = 0.03
const freeRatio = 0.01
/** Latency, in base latencies, that says queue, and up to which an unused limit may grow. */
const queueFactor = 2
const growthFactor = 1.5
/** The ratio of two limits in a search. */
const searchFactor = 1.5
/** Latency response sought between the low and the high limit of a comparison, and how fast the knee follows it. */
const wantedResponse = 0.85
const gain = 0.2
/** Limits in terms of the knee: the low one of a comparison, the usual one, and the one at mild overload, where bursts need room. */
const lowLimit = 1.1
const usualLimit = 1.5
const roomyLimit = 1.8
const mildRatio = 0.2
/** Windows between two comparisons, at most. */
const mostWindows = 16
/** What a drop leaves of the limit, also when most calls are dropped, and the share of drops that counts. */
const afterDrops = 0.75
const afterCollapse = 0.5
const dropRatio = 0.05
/** While nothing holds calls up, the limit is so many times what is in flight at most. */
const floatFactor = 2.5
/** How much of the way the base latency goes at once towards one that is lower. */
const baseFall = 0.3
/** Steps down that must all have cost throughput and nothing else, before latency is taken for the server's own. */
const stepsAlone = 2
const stepsShared = 6

type Phase = 'open' | 'climbing' | 'falling' | 'comparing' | 'holding'

/**
 * Finds the limit by experiment. While the limit holds nobody up it stays at three times what is in flight. When calls are held up, or
 * latency has doubled, it tries a limit of another size for a moment and looks at what came of it: if throughput followed, more
 * is allowed; if only latency did, less. It ends a little above the knee, where throughput stops following, and checks that now
 * and then by a short comparison of two limits. Drops and timeouts shrink it at once.
 *
 * The idea that the sign of the response tells a queue from a slow service is that of PCC (Dong et al., NSDI 2015) and Vivace
 * (2018); the limit for unused concurrency and the discarded samples are those of Netflix's concurrency-limits and of Envoy.
 */
export class ProbingLimit implements ConcurrencyAlgorithm {
  readonly name = 'probing'
  limit: number
  private readonly minLimit: number
  private readonly maxLimit: number
  private readonly random: Random
  private readonly shared: boolean
  private phase: Phase = 'open'
  /** The concurrency beyond which throughput stops following, as far as known. */
  private knee: number
  private window: SampleWindow | undefined = undefined
  private readonly peaks = new RecentPeaks()
  private readonly evidence = new ResponseEvidence()
  /** Latency without a queue, in ms; 0 while unknown. */
  private baseRtt = 0
  private lastRtt = 0
  /** Monotonic ms since when calls have been held up, over how many windows, and the highest latency of them. */
  private busySince: number | undefined = undefined
  private busyWindows = 0
  private busyRtt = 0
  /** Since when no call has been held up, while the limit is set by experiment. */
  private freeSince: number | undefined = undefined
  private blockedRatio = 0
  /** The window a search compares with, and whether the search has just begun. */
  private reference: SampleWindow | undefined = undefined
  private searchIsNew = false
  /** The first window of a comparison, and the limit of the second. */
  private compared: SampleWindow | undefined = undefined
  private otherLimit = 0
  private steadyWindows = 1
  private windowsLeft = 0
  private queueOnly = 0
  /** Latency at the low limit of the last comparison. */
  private comparedRtt = 0
  /** Steps down that changed nothing but throughput. */
  private vainSteps = 0
  /** The last step down has shown that there was a queue. */
  private isQueue = false
  /** Growth is careful up to this instant. */
  private carefulUntil = -Infinity
  private comparisons = 0

  constructor({ minLimit, maxLimit, initialLimit, random, shared }: LimitBounds) {
    this.shared = shared
    this.minLimit = minLimit
    this.maxLimit = maxLimit
    this.random = random
    this.limit = initialLimit
    this.knee = initialLimit
  }

  onBlocked(now: number): void {
    this.window ??= new SampleWindow(this.limit, now)
    this.window.blocked++
  }

  onSample(sample: ConcurrencySample, now: number): void {
    if (!(sample.rttMs > 0) || sample.rttMs === Infinity) return
    const window = (this.window ??= new SampleWindow(this.limit, sample.startedAt))
    window.add(sample)
    const rtt = window.meanRtt || this.lastRtt
    const elapsed = now - window.openedAt
    if (window.dropped >= 3 && window.dropped > dropRatio * (window.answered + window.dropped) && elapsed >= rtt) this.shrink(window, now)
    else if (this.isEnough(window.answered, elapsed / rtt, elapsed)) this.close(window, now)
  }

  status(): Readonly<Record<string, number | string | null>> {
    return {
      phase: this.phase,
      baseRttMs: this.baseRtt === 0 ? null : this.baseRtt,
      knee: this.phase === 'open' ? null : this.knee,
      latencyResponse: this.evidence.response ?? null,
      comparisons: this.comparisons,
    }
  }

  /** Two round trips and enough answers; fewer after more round trips, so that slow or rare calls decide as well. */
  private isEnough(answered: number, roundTrips: number, elapsed: number): boolean {
    const wanted = this.phase === 'comparing' ? comparisonSamples : windowSamples
    if (roundTrips < 2) return false
    if (answered >= wanted) return true
    if (roundTrips < 6) return false
    if (answered >= wanted / 3) return true
    if (roundTrips < 12) return false
    return answered >= 6 || (answered >= 1 && roundTrips >= 20 && elapsed >= patienceMs)
  }

  private close(window: SampleWindow, now: number): void {
    this.lastRtt = window.meanRtt
    if (this.phase === 'open') {
      this.float(window, now)
      return
    }
    this.freeSince = window.blockedRatio < freeRatio ? (this.freeSince ?? window.openedAt) : undefined
    if (this.freeSince !== undefined && now - this.freeSince >= this.patience(window.meanRtt)) this.open(window.limit, now)
    else if (this.phase === 'comparing') this.compare(window, now)
    else if (this.phase === 'holding') this.hold(window, now)
    else this.search(window, now)
  }

  private patience(rtt: number): number {
    return Math.max(patienceMs, 2 * rtt)
  }

  /** Calls that start within `settleMs` are not counted: what others have queued has to drain first. */
  private apply(limit: number, now: number, settleMs = 0): void {
    this.limit = Math.max(this.minLimit, Math.min(this.maxLimit, Math.round(limit)))
    this.window = new SampleWindow(this.limit, now + settleMs)
  }

  // The limit is not what holds calls up: a multiple of what is in flight, so that bursts pass.

  private open(limit: number, now: number): void {
    this.phase = 'open'
    this.peaks.clear()
    this.busySince = undefined
    this.freeSince = undefined
    this.evidence.clear()
    this.apply(limit, now)
  }

  private float(window: SampleWindow, now: number): void {
    const rtt = window.meanRtt
    if (this.baseRtt === 0) this.baseRtt = rtt
    this.peaks.add(now, window.peak, Math.max(peakMemoryMs, 20 * rtt))
    if (this.isBusyForLong(window, now)) {
      this.begin(window, now)
      return
    }
    const share = rtt < this.baseRtt ? baseFall : 1 - Math.exp((window.openedAt - now) / baseRiseMs)
    this.baseRtt += share * (rtt - this.baseRtt)
    const wanted = floatFactor * this.peaks.highest
    if (wanted < this.limit) this.apply(Math.max(wanted, this.limit * 0.95), now)
    else if (rtt > growthFactor * this.baseRtt || window.blockedRatio > fullRatio) this.apply(this.limit, now)
    else this.apply(now < this.carefulUntil ? Math.min(wanted, this.limit + Math.max(1, this.limit * 0.05)) : wanted, now)
  }

  private isBusyForLong(window: SampleWindow, now: number): boolean {
    const rtt = window.meanRtt
    const isFull = window.blockedRatio > fullRatio
    if (!isFull && rtt <= queueFactor * this.baseRtt) {
      this.busySince = undefined
      return false
    }
    // a queue that drains needs no help
    if (this.busySince === undefined || (!isFull && rtt < 0.75 * this.busyRtt)) {
      this.busySince = this.busySince === undefined ? window.openedAt : now
      this.busyWindows = 0
      this.busyRtt = 0
    }
    this.busyWindows++
    this.busyRtt = Math.max(this.busyRtt, rtt)
    return this.busyWindows >= 2 && now - this.busySince >= this.patience(rtt)
  }

  // A search by large steps, each compared with the one before.

  private begin(window: SampleWindow, now: number): void {
    this.busySince = undefined
    this.queueOnly = 0
    this.blockedRatio = window.blockedRatio
    const isQueue = window.meanRtt > growthFactor * this.baseRtt
    this.knee = window.blockedRatio > fullRatio ? window.limit : window.peak
    this.startSearch(window, isQueue ? 'falling' : 'climbing', now)
    this.searchIsNew = true
    this.vainSteps = 0
    this.isQueue = false
  }

  private startSearch(reference: SampleWindow, phase: 'climbing' | 'falling', now: number): void {
    this.phase = phase
    this.searchIsNew = false
    this.reference = reference
    this.steadyWindows = 1
    this.evidence.clear()
    const from = this.knee
    const next =
      phase === 'climbing' ? Math.max(from + 1, from * searchFactor) : Math.min(from - 1, from / searchFactor, this.emptied(reference))
    const limit = Math.max(this.minLimit, Math.min(this.maxLimit, Math.round(next)))
    if (limit === Math.round(from)) this.startComparison(now)
    else this.apply(limit, now, this.shared && phase === 'falling' ? reference.meanRtt / 2 : 0)
  }

  /** Where there is no queue, if the base latency is right; to be believed once a step down has shown that there was one. */
  private emptied(reference: SampleWindow): number {
    if (this.phase !== 'falling' || !this.isQueue) return Infinity
    return usualLimit * reference.meanInFlight * (this.baseRtt / reference.meanRtt)
  }

  private search(window: SampleWindow, now: number): void {
    const reference = this.reference as SampleWindow
    const isClimb = this.phase === 'climbing'
    if (window.blockedRatio < freeRatio && (isClimb || window.meanRtt < growthFactor * this.baseRtt)) {
      this.open(window.limit, now)
      return
    }
    this.blockedRatio = window.blockedRatio
    if (window.meanRtt < this.baseRtt) this.baseRtt += baseFall * (window.meanRtt - this.baseRtt)
    const response = latencyResponse(reference, window)
    const isDisputed = isClimb && window.meanRtt > growthFactor * this.baseRtt
    if (response === undefined || (isClimb ? response < 0.5 && !isDisputed : response > 0.65)) {
      const isUndecided = this.searchIsNew && response === undefined
      this.knee = window.limit
      this.isQueue = !isClimb && response !== undefined
      this.startSearch(window, isClimb ? 'climbing' : 'falling', now)
      this.searchIsNew = isUndecided
    } else if (this.searchIsNew && isClimb) {
      this.isQueue = false
      this.startSearch(reference, 'falling', now) // the first step was the wrong way: there was a queue
    } else if (this.searchIsNew && response < 0.5) {
      if (++this.vainSteps < (this.shared ? stepsShared : stepsAlone)) {
        this.apply(window.limit / searchFactor, now)
        return
      }
      // throughput is all that was lost: the latency is the server's own
      this.baseRtt = Math.max(this.baseRtt, window.meanRtt)
      this.startSearch(reference, 'climbing', now)
    } else {
      if (!isClimb) this.knee = Math.sqrt(this.knee * window.limit)
      this.startComparison(now)
    }
  }

  // Two limits in random order tell on which side of the knee they are.

  private startComparison(now: number): void {
    this.phase = 'comparing'
    this.compared = undefined
    const high = Math.min(this.maxLimit, Math.max(this.minLimit + 1, Math.round(this.workingLimit(usualLimit))))
    const low = Math.max(this.minLimit, Math.min(high - 1, Math.round(this.knee * lowLimit)))
    const lowFirst = this.random() < 0.5
    this.otherLimit = lowFirst ? high : low
    this.apply(lowFirst ? low : high, now)
  }

  private compare(window: SampleWindow, now: number): void {
    if (this.compared === undefined) {
      this.compared = window
      this.apply(this.otherLimit, now)
      return
    }
    const [low, high] = this.compared.limit < window.limit ? [this.compared, window] : [window, this.compared]
    this.comparisons++
    this.evidence.add(low, high)
    const response = this.evidence.response ?? 0.5
    this.blockedRatio = high.blockedRatio
    this.comparedRtt = low.meanRtt
    if (low.meanRtt < this.baseRtt) this.baseRtt += baseFall * (low.meanRtt - this.baseRtt)
    const before = this.knee
    // throughput that follows may be taken from other clients of the same server, while all wait longer
    const mayGrow = low.meanRtt <= growthFactor * this.baseRtt
    const off = mayGrow ? wantedResponse - response : Math.min(0, wantedResponse - response)
    this.queueOnly = response > 0.93 ? this.queueOnly + 1 : 0
    const haste = (Math.abs(off) > 0.4 ? 2 : 1) * (1 + Math.min(4, Math.max(0, this.queueOnly - 2)))
    this.moveKnee(before * Math.exp(gain * this.evidence.confidence * off * haste))
    if (low.meanRtt > queueFactor * this.baseRtt) {
      this.isQueue = false
      this.startSearch(low, 'falling', now)
      this.searchIsNew = true
      this.vainSteps = 0
      return
    }
    if (response < 0.2 && this.evidence.comparisons > 1.5 && mayGrow) {
      this.knee = high.limit
      this.startSearch(high, 'climbing', now)
      return
    }
    if (Math.abs(off) > 0.35) this.steadyWindows = 1
    else if (Math.abs(off) < 0.18 && this.queueOnly < 3) this.steadyWindows = Math.min(mostWindows, this.steadyWindows * 2)
    else this.steadyWindows = Math.max(1, this.steadyWindows / 2)
    this.startHold(now)
  }

  private moveKnee(knee: number): void {
    this.knee = Math.max(this.minLimit, Math.min(this.maxLimit, knee))
  }

  // The usual limit, for some windows.

  private startHold(now: number): void {
    this.phase = 'holding'
    // many instances that began together must not compare together
    this.windowsLeft = Math.round(this.steadyWindows * (0.75 + 0.5 * this.random()))
    this.applyRoom(now)
  }

  private hold(window: SampleWindow, now: number): void {
    this.blockedRatio += 0.3 * (window.blockedRatio - this.blockedRatio)
    const change = window.meanRtt / this.comparedRtt
    if (change > growthFactor * (window.limit / this.knee) || change < 0.6) {
      // not the server it was at the last comparison
      this.steadyWindows = 1
      this.evidence.clear()
      this.startComparison(now)
    } else if (--this.windowsLeft <= 0 && window.blockedRatio >= freeRatio) this.startComparison(now)
    else this.applyRoom(now)
  }

  /** In mild overload calls come in bursts that need room; when twice as many come as can be served, there is always the next. */
  private applyRoom(now: number): void {
    const mildness = Math.max(0, 1 - this.blockedRatio / mildRatio)
    this.apply(this.workingLimit(usualLimit + (roomyLimit - usualLimit) * mildness), now)
  }

  private workingLimit(factor: number): number {
    return this.knee * factor + 0.5 * Math.sqrt(this.knee)
  }

  private shrink(window: SampleWindow, now: number): void {
    const share = window.dropped / (window.dropped + window.answered)
    this.carefulUntil = now + Math.max(30_000, 100 * this.lastRtt)
    this.open(window.limit * (share > 0.5 ? afterCollapse : afterDrops), now)
  }
}
