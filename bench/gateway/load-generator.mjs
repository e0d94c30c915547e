// Where wrk is missing: `node load-generator.mjs <url> <connections> <ms>` keeps that many requests under way, and prints the result as JSON.
import { Pool } from 'undici'

const [, , target = '', connections = '1', ms = '1000'] = process.argv
const url = new URL(target)
const pool = new Pool(url.origin, { connections: Number(connections), pipelining: 1 })
/** @type {number[]} */
const latencies = []
let failed = 0
const endsAt = performance.now() + Number(ms)

async function runOne() {
  while (performance.now() < endsAt) {
    const startedAt = performance.now()
    const { statusCode, body } = await pool.request({ path: url.pathname, method: 'GET' })
    await body.dump()
    latencies.push(performance.now() - startedAt)
    if (statusCode !== 200) failed++
  }
}

await Promise.all(Array.from({ length: Number(connections) }, runOne))
await pool.close()
latencies.sort((a, b) => a - b)
/** @param {number} share */
const percentile = (share) => latencies[Math.floor(latencies.length * share)] ?? 0
console.log(JSON.stringify({ requests: latencies.length, failed, p50Ms: percentile(0.5), p99Ms: percentile(0.99) }))
