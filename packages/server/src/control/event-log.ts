import type { PolicyEvent } from 'holdfast'

/** An event with its place in the sequence. */
export interface NumberedEvent {
  /** Counts up from 1 since the server started. */
  readonly id: number
  readonly type: string
  readonly policy: string
  /** Epoch ms. */
  readonly at: number
  /** The event in a sentence's worth of plain data; errors as their text. */
  readonly data: Readonly<Record<string, unknown>>
}

/** The last events, oldest first, in bounded memory. */
export class EventLog {
  private readonly kept: NumberedEvent[] = []
  private readonly max: number
  private nextId = 1

  constructor(max = 1_000) {
    this.max = max
  }

  add(event: PolicyEvent): NumberedEvent {
    const { type, policy, at, ...data } = event
    const numbered = { id: this.nextId++, type, policy, at, data: plain(data) }
    this.kept.push(numbered)
    if (this.kept.length > this.max) this.kept.shift()
    return numbered
  }

  get lastId(): number {
    return this.nextId - 1
  }

  /** Events after an id, oldest first, at most `limit` of the newest. */
  after(id: number, limit = this.max): readonly NumberedEvent[] {
    const later = this.kept.filter((event) => event.id > id)
    return later.slice(Math.max(0, later.length - limit))
  }
}

/** Data fit for JSON and for the eyes of others: an error is its name and code, never its text, which may hold secrets. */
function plain(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, key === 'error' ? errorLabel(value) : value]))
}

function errorLabel(error: unknown): string | null {
  if (error === undefined || error === null) return null
  const { name, code, status } = error as { name?: unknown; code?: unknown; status?: unknown }
  const label = [name, code, status].filter((part) => (typeof part === 'string' && part.length < 60) || typeof part === 'number').join(' ')
  return label === '' ? 'error' : label
}
