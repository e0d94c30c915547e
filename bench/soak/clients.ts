import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'

/** What one client does; `path` says what the upstream does with it. */
export interface Behaviour {
  readonly name: string
  readonly path: string
  /** Of 1,000 requests, how many are of this kind. */
  readonly weight: number
  readonly method?: 'GET' | 'POST'
  /** The client leaves after this time, in ms. */
  readonly leavesAfterMs?: number
  /** The body is sent in so many pieces, 50 ms apart. */
  readonly bodyPieces?: number
  /** The client reads nothing for so long, in ms. */
  readonly readsAfterMs?: number
  /** A connection of its own, closed afterwards. */
  readonly newConnection?: boolean
}

export const behaviours: readonly Behaviour[] = [
  { name: 'plain', path: 'ok', weight: 800 },
  { name: 'post', path: 'ok', weight: 90, method: 'POST', bodyPieces: 1 },
  { name: 'slow post', path: 'ok', weight: 5, method: 'POST', bodyPieces: 6 },
  { name: 'new connection', path: 'ok', weight: 25, newConnection: true },
  { name: 'upstream error', path: 'error', weight: 15 },
  { name: 'upstream resets', path: 'reset', weight: 8 },
  { name: 'upstream hangs', path: 'hang', weight: 5 },
  { name: 'upstream dies in the middle', path: 'cut', weight: 8 },
  { name: 'slow answer', path: 'slow', weight: 8 },
  { name: 'rate limited', path: 'rate-limited', weight: 0.05 },
  { name: 'stream', path: 'sse', weight: 4 },
  { name: 'leaves a stream', path: 'sse', weight: 4, leavesAfterMs: 400 },
  { name: 'leaves a hanging upstream', path: 'hang', weight: 6, leavesAfterMs: 200 },
  { name: 'leaves at once', path: 'ok', weight: 10, leavesAfterMs: 0 },
  { name: 'leaves in its own body', path: 'ok', weight: 3, method: 'POST', bodyPieces: 6, leavesAfterMs: 120 },
  { name: 'big answer', path: 'big', weight: 5 },
  { name: 'big answer, slow reader', path: 'big', weight: 2, readsAfterMs: 500 },
]

export interface ClientCounts {
  sent: number
  /** Whole answers, by status. */
  readonly answered: Record<string, number>
  /** Connections that ended before their answer, as they should when the upstream's did. */
  cut: number
  left: number
  /** Neither an answer nor an end by the deadline. */
  hanging: number
  readonly hangingBehaviours: Record<string, number>
  /** Not sent: too many were under way. */
  heldBack: number
}

const piece = Buffer.alloc(1_024, 'b')
const maxUnderWay = 1_500

/** The clients of a soak. Each is given up, and counted as hanging, when it has no answer by its deadline. */
export class Clients {
  readonly counts: ClientCounts = { sent: 0, answered: {}, cut: 0, left: 0, hanging: 0, hangingBehaviours: {}, heldBack: 0 }
  underWay = 0
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 512 })
  private readonly url: string
  private readonly deadlineMs: number

  /** `deadlineMs`: the time in which the gateway owes an end, whatever the upstream does. */
  constructor(url: string, deadlineMs: number) {
    this.url = url
    this.deadlineMs = deadlineMs
  }

  send(behaviour: Behaviour): void {
    if (this.underWay >= maxUnderWay) {
      this.counts.heldBack++
      return
    }
    this.underWay++
    this.counts.sent++
    const run = new ClientRun(behaviour, (end, status) => {
      this.underWay--
      this.count(behaviour, end, status)
    })
    run.start(this.url, behaviour.newConnection === true ? false : this.agent, this.deadlineMs)
  }

  dispose(): void {
    this.agent.destroy()
  }

  private count({ name }: Behaviour, end: ClientEnd, status: number): void {
    const { counts } = this
    if (end === 'answered') counts.answered[status] = (counts.answered[status] ?? 0) + 1
    else counts[end]++
    if (end === 'hanging') counts.hangingBehaviours[name] = (counts.hangingBehaviours[name] ?? 0) + 1
  }
}

type ClientEnd = 'answered' | 'cut' | 'left' | 'hanging'

/** One request of one client. */
class ClientRun {
  private readonly behaviour: Behaviour
  private readonly onEnd: (end: ClientEnd, status: number) => void
  private sent: ClientRequest | undefined = undefined
  private deadline: NodeJS.Timeout | undefined = undefined
  private leaving: NodeJS.Timeout | undefined = undefined
  private status = 0
  private over = false

  constructor(behaviour: Behaviour, onEnd: (end: ClientEnd, status: number) => void) {
    this.behaviour = behaviour
    this.onEnd = onEnd
  }

  start(url: string, agent: Agent | false, deadlineMs: number): void {
    const { path, method = 'GET', leavesAfterMs, bodyPieces = 0 } = this.behaviour
    const sent = request(`${url}/${path}`, { agent, method })
    this.sent = sent
    this.deadline = setTimeout(() => this.end('hanging'), deadlineMs)
    if (leavesAfterMs !== undefined) this.leaving = setTimeout(() => this.end('left'), leavesAfterMs)
    sent.on('response', (response) => this.receive(response))
    sent.on('error', () => this.end('cut'))
    sent.on('close', () => this.end('cut')) // unless it has ended otherwise
    this.sendBody(sent, bodyPieces)
  }

  private receive(response: IncomingMessage): void {
    this.status = response.statusCode ?? 0
    response.on('end', () => this.end(response.complete ? 'answered' : 'cut'))
    response.on('error', () => this.end('cut'))
    const { readsAfterMs } = this.behaviour
    if (readsAfterMs === undefined) response.resume()
    else setTimeout(() => response.resume(), readsAfterMs)
  }

  private sendBody(sent: ClientRequest, pieces: number): void {
    if (pieces <= 1) {
      sent.end(pieces === 0 ? undefined : piece)
      return
    }
    sent.write(piece)
    setTimeout(() => {
      if (!this.over) this.sendBody(sent, pieces - 1)
    }, 50)
  }

  private end(how: ClientEnd): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.deadline)
    clearTimeout(this.leaving)
    if (how !== 'answered') this.sent?.destroy()
    this.onEnd(how, this.status)
  }
}
