import { get } from 'node:http'

/** What one contestant has shown, one value per round. */
export interface Samples {
  readonly requestsPerSecond: number[]
  readonly cpuMicros: number[]
  readonly p50Ms: number[]
  readonly p99Ms: number[]
  /** Median latency with one request at a time. */
  readonly aloneP50Ms: number[]
  /** From the moment the upstream writes the first event until the client has it. */
  readonly firstEventMs: number[]
  residentMiB: number
  failed: number
}

export function emptySamples(): Samples {
  return { requestsPerSecond: [], cpuMicros: [], p50Ms: [], p99Ms: [], aloneP50Ms: [], firstEventMs: [], residentMiB: 0, failed: 0 }
}

/** One server-sent event: how long it took from the upstream to here, in ms. The upstream writes into it when it was sent. */
export function firstEventMs(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${url}/sse`, { agent: false, timeout: 5_000 }, (response) => {
      let text = ''
      response.on('error', reject)
      response.on('data', (chunk: Buffer) => {
        const cameAt = process.hrtime.bigint()
        text += chunk.toString()
        const sentAt = /data: (\d+)\n/.exec(text)?.[1]
        if (sentAt === undefined) return
        resolve(Number(cameAt - BigInt(sentAt)) / 1e6)
        response.destroy()
      })
      response.on('end', () => reject(new Error(`${url}/sse ended without an event`)))
    })
      .on('timeout', () => reject(new Error(`${url}/sse sent nothing`)))
      .on('error', reject)
  })
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** Median absolute deviation from the median. */
export function deviation(values: readonly number[]): number {
  const middle = median(values)
  return median(values.map((value) => Math.abs(value - middle)))
}
