import { get, type ClientRequest } from 'node:http'

/** Pages that watch the control listener: each reads its events, and comes back when it is cut off. */
export class Viewers {
  events = 0
  reconnects = 0
  private readonly url: string
  private readonly open = new Set<ClientRequest>()
  private over = false

  constructor(controlUrl: string, count: number) {
    this.url = `${controlUrl}/events`
    for (let viewer = 0; viewer < count; viewer++) this.watch()
  }

  end(): void {
    this.over = true
    for (const request of this.open) request.destroy()
  }

  private watch(): void {
    const request = get(this.url, { agent: false, headers: { accept: 'text/event-stream' } }, (response) => {
      response.on('data', () => this.events++)
      response.on('error', () => undefined)
    })
    this.open.add(request)
    request.on('error', () => undefined)
    request.on('close', () => {
      this.open.delete(request)
      if (this.over) return
      this.reconnects++
      setTimeout(() => {
        if (!this.over) this.watch()
      }, 1_000)
    })
  }
}
