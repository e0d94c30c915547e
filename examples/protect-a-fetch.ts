/** A breaker, retries and a timeout around one dependency. Run it: node --import tsx examples/protect-a-fetch.ts */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { circuitBreaker, isHoldfastError, pipeline, retry, timeout } from 'holdfast'

// a dependency that fails the first two requests of every five
let requests = 0
const dependency = createServer((_request, response) => {
  response.statusCode = requests++ % 5 < 2 ? 503 : 200
  response.end(`request ${requests}`)
})
await new Promise<void>((resolve) => {
  dependency.listen(0, '127.0.0.1', resolve)
})
const url = `http://127.0.0.1:${(dependency.address() as AddressInfo).port}/`

const breaker = circuitBreaker({ name: 'dependency', failureThreshold: 5, failureWindow: '10s', openFor: '2s' })
const guarded = pipeline(retry({ maxAttempts: 3, initialDelay: '20ms' }), breaker, timeout('1s'))
breaker.on((event) => console.log(`event: ${event.type}`))

for (let call = 1; call <= 5; call++) {
  try {
    const text = await guarded.execute(async ({ signal }) => {
      const response = await fetch(url, { signal })
      if (response.status >= 500) throw Object.assign(new Error(`status ${response.status}`), { status: response.status })
      return await response.text()
    })
    console.log(`call ${call}: ${text}`)
  } catch (error) {
    console.log(`call ${call}: ${isHoldfastError(error) ? error.code : String(error)}`)
  }
}
console.log(breaker.status())
dependency.close()
dependency.closeAllConnections()
