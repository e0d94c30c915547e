import type { Clock, PolicyEvent } from 'holdfast'
import type { AuditLog } from '../audit/index.ts'
import type { SilenceView } from '../wire.ts'
import { ExpiryTimer } from './expiry-timer.ts'
import type { Actor } from './forced-states.ts'

export interface SilencesOptions {
  readonly clock: Clock
  readonly audit: AuditLog
  /** Names of the dependencies there are now. */
  readonly dependencies: () => Iterable<string>
  readonly emit: (event: PolicyEvent & Readonly<Record<string, unknown>>) => void
  /** Told when the end of a silence could not be put on record; that is tried again. */
  readonly onUnrecorded: (error: unknown) => void
}

export interface SilenceRequest extends Actor {
  readonly dependency: string
  readonly reason: string
  readonly expiresInMs: number
}

/**
 * Dependencies that nobody is to worry about for a while. A silence always ends: by hand, or when its time is over, also if that was
 * while the server was down.
 */
export class Silences {
  private readonly options: SilencesOptions
  private readonly silences = new Map<string, SilenceView>()
  /** Ended, but not yet on record. */
  private readonly unrecorded = new Map<string, SilenceView>()
  private readonly timer: ExpiryTimer

  constructor(options: SilencesOptions) {
    this.options = options
    this.timer = new ExpiryTimer(options.clock, () => this.look())
    for (const row of options.audit.database.all('SELECT * FROM silence ORDER BY at')) {
      const { dependency, reason, who, at, expires_at: expiresAt } = row
      this.silences.set(String(dependency), { reason: String(reason), by: String(who), at: Number(at), expiresAt: Number(expiresAt) })
    }
    this.look()
  }

  /** The silence of a dependency that lasts now. */
  get(dependency: string): SilenceView | undefined {
    const silence = this.silences.get(dependency)
    return silence === undefined || silence.expiresAt <= this.options.clock.wallNow() ? undefined : silence
  }

  has(dependency: string): boolean {
    return this.get(dependency) !== undefined
  }

  entries(): readonly (readonly [dependency: string, silence: SilenceView])[] {
    return [...this.silences].filter(([dependency]) => this.has(dependency))
  }

  /**
   * Replaces an earlier silence of the dependency.
   * @throws DatabaseError when it cannot be put on record; then nothing has changed.
   */
  begin({ dependency, reason, who, address, expiresInMs }: SilenceRequest): SilenceView {
    const { clock, audit, emit } = this.options
    const at = clock.wallNow()
    const silence = { reason, by: who, at, expiresAt: at + expiresInMs }
    const before = this.get(dependency) ?? null
    const entry = {
      who,
      address,
      action: 'dependency.silenced',
      subject: dependency,
      before,
      after: silence,
      reason,
      expiresAt: silence.expiresAt,
    }
    audit.append(entry, (database) => {
      const values = [dependency, reason, who, at, silence.expiresAt] as const
      database.run('INSERT OR REPLACE INTO silence (dependency, reason, who, at, expires_at) VALUES (?, ?, ?, ?, ?)', ...values)
    })
    this.unrecorded.delete(dependency)
    this.silences.set(dependency, silence)
    this.arm()
    emit({ type: 'control.silenced', policy: dependency, at, by: who, reason, expiresAt: silence.expiresAt })
    return silence
  }

  /**
   * Ends a silence by hand. Answers whether there was one.
   * @throws DatabaseError when it cannot be put on record; then it goes on.
   */
  end(dependency: string, { who, address }: Actor, reason: string | null = null): boolean {
    const before = this.get(dependency)
    if (before === undefined) return false
    const { clock, audit, emit } = this.options
    const entry = { who, address, action: 'dependency.silence-ended', subject: dependency, before, reason }
    audit.append(entry, (database) => database.run('DELETE FROM silence WHERE dependency = ?', dependency))
    this.silences.delete(dependency)
    this.arm()
    emit({ type: 'control.silence-ended', policy: dependency, at: clock.wallNow(), by: who, expired: false })
    return true
  }

  /** To be called after dependencies have come or gone. */
  dependenciesChanged(): void {
    this.look()
  }

  dispose(): void {
    this.timer.set(undefined)
  }

  /** Ends what is over, or whose dependency is no more. */
  private look(): void {
    const now = this.options.clock.wallNow()
    const known = new Set(this.options.dependencies())
    for (const [dependency, silence] of this.unrecorded) this.drop(dependency, silence, 'dependency.silence-expired')
    for (const [dependency, silence] of this.silences) {
      if (silence.expiresAt <= now) this.drop(dependency, silence, 'dependency.silence-expired')
      else if (!known.has(dependency)) this.drop(dependency, silence, 'dependency.silence-dropped')
    }
    this.arm()
  }

  private drop(dependency: string, silence: SilenceView, action: string): void {
    const { clock, audit, emit, onUnrecorded } = this.options
    const isNews = !this.unrecorded.has(dependency)
    this.silences.delete(dependency)
    this.unrecorded.delete(dependency)
    if (isNews)
      emit({ type: 'control.silence-ended', policy: dependency, at: clock.wallNow(), by: silence.by, expired: action.endsWith('expired') })
    try {
      audit.append({ who: 'holdfast', address: '', action, subject: dependency, before: silence }, (database) =>
        database.run('DELETE FROM silence WHERE dependency = ? AND at = ?', dependency, silence.at),
      )
    } catch (error) {
      this.unrecorded.set(dependency, silence)
      onUnrecorded(error)
    }
  }

  private arm(): void {
    const ends = [...this.silences.values()].map(({ expiresAt }) => expiresAt)
    // what could not be recorded is tried again in a while
    const next = Math.min(...ends, this.unrecorded.size === 0 ? Infinity : this.options.clock.wallNow() + 10_000)
    this.timer.set(next === Infinity ? undefined : next)
  }
}
