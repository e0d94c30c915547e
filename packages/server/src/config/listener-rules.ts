import type { ReliabilityConfig } from './config.ts'
import { isLoopback } from './http-syntax.ts'
import type { ControlSettings } from './schema-control.ts'
import type { Report } from './report.ts'

const tokenFix = "server.tokens: [{ name: ops, role: operate, value: '${HOLDFAST_TOKEN}' }]"

/** What must hold for the two listeners together with the tokens. */
export function checkListeners({ server, upstreams }: ReliabilityConfig, report: Report): void {
  const { gateway, control, tokens } = server
  if (gateway.port !== 0 && gateway.port === control.port && gateway.host === control.host) {
    report('problem', ['server', 'control', 'port'], `must differ from the gateway's port, which is ${gateway.port} too`)
  }
  checkExposure(control, tokens.length > 0, report)
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

/** Whether others than this machine can reach the control listener: directly, through a proxy, or under a name of their own. */
function isExposed({ host, allowedHosts, trustedProxies }: Pick<ControlSettings, 'host' | 'allowedHosts' | 'trustedProxies'>): boolean {
  return !isLoopback(host) || trustedProxies.length > 0 || !allowedHosts.every((name) => isLoopback(name.replace(/:\d+$/, '')))
}

/** Whether looking needs a token or a session, too. */
export function isLoginRequired(control: ControlSettings, hasTokens: boolean): boolean {
  return control.loginRequired ?? (isExposed(control) && hasTokens)
}

/** Why a configuration, however it was made, must not be served: anyone could use what it opens. */
export function exposureProblem({ host, trustedProxies }: ControlSettings, hasTokens: boolean): string | undefined {
  if (hasTokens || (isLoopback(host) && trustedProxies.length === 0)) return undefined
  return `the control listener would be open to anyone (server.control.host is ${host}, and there are no tokens): add a token (${tokenFix}), or listen on 127.0.0.1`
}

function checkExposure(control: ControlSettings, hasTokens: boolean, report: Report): void {
  const { host, trustedProxies, loginRequired, tls } = control
  const path = ['server', 'control']
  if (!isLoopback(host) && !hasTokens) {
    const fix = `add a token (${tokenFix}), or listen on 127.0.0.1`
    report(
      'problem',
      [...path, 'host'],
      `must be a loopback address while there are no tokens, since anyone could read and change everything; ${fix}`,
    )
  } else if (!hasTokens && trustedProxies.length > 0) {
    report(
      'problem',
      [...path, 'trustedProxies'],
      `must be empty while there are no tokens, since whoever reaches the proxy could read everything; add a token (${tokenFix})`,
    )
  } else if (!hasTokens && loginRequired === true) {
    report(
      'problem',
      [...path, 'loginRequired'],
      `must be false while there are no tokens, since nobody could log in; add a token (${tokenFix})`,
    )
  }
  if (!isLoopback(host) && loginRequired === false)
    report('problem', [...path, 'loginRequired'], 'must be true unless host is a loopback address, since anyone could read everything')
  if (!isLoopback(host) && tls === undefined && trustedProxies.length === 0)
    report(
      'warning',
      [...path, 'host'],
      'is reached without TLS, so tokens travel unencrypted: set tls, or put a proxy with TLS before it and name it under trustedProxies',
    )
}
