import type { ReliabilityConfig } from './config.ts'
import { isLoopback } from './http-syntax.ts'
import type { Report } from './report.ts'

const tokenFix = "server.tokens: [{ name: ops, role: operate, value: '${HOLDFAST_TOKEN}' }]"

/** What must hold for the two listeners together with the tokens. */
export function checkListeners({ server, upstreams }: ReliabilityConfig, report: Report): void {
  const { gateway, control, tokens } = server
  if (gateway.port !== 0 && gateway.port === control.port && gateway.host === control.host) {
    report('problem', ['server', 'control', 'port'], `must differ from the gateway's port, which is ${gateway.port} too`)
  }
  if (!isLoopback(control.host) && tokens.length === 0) {
    const fix = `add a token (${tokenFix}), or listen on 127.0.0.1`
    report(
      'problem',
      ['server', 'control', 'host'],
      `must be a loopback address while there are no tokens, since anyone could read and change everything; ${fix}`,
    )
  }
  const names = new Set<string>()
  const hashes = new Set<string>()
  for (const { name, sha256 } of tokens) {
    if (names.has(name)) report('problem', ['server', 'tokens'], `must not hold two tokens with the name '${name}'`)
    if (hashes.has(sha256)) report('problem', ['server', 'tokens'], `must not hold the same token twice; '${name}' repeats an earlier one`)
    names.add(name)
    hashes.add(sha256)
  }
  const withHeaders = Object.values(upstreams).filter(({ headers }) => Object.keys(headers).length > 0)
  const [first] = withHeaders
  if (!isLoopback(gateway.host) && first !== undefined) {
    report(
      'warning',
      ['server', 'gateway', 'host'],
      `whoever reaches the gateway uses the headers configured for upstream '${first.name}': protect it by the network`,
    )
  }
}
