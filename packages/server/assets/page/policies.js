import { count, lasted, latency, ratio } from './format.js'

/** How each state looks; states the page does not know are shown in their own words. */
const tones = {
  closed: 'ok',
  'half-open': 'warning',
  open: 'bad',
  isolated: 'bad',
  disabled: 'forced',
  'forced-closed': 'forced',
  paused: 'paused',
  healthy: 'ok',
  degraded: 'warning',
  unhealthy: 'bad',
}
const healthWords = { pass: 'healthy', warn: 'degraded', fail: 'unhealthy' }

/** A circuit's own state, a pause, or else how healthy the policy is. */
export function stateOf({ status, health }, now) {
  if (status?.state !== undefined) return status.state
  if (typeof status?.pausedUntil === 'number' && status.pausedUntil > now) return 'paused'
  return healthWords[health?.status] ?? '–'
}

export function toneOf(policy, now) {
  if (policy.forced) return 'forced'
  return tones[stateOf(policy, now)] ?? 'none'
}

/** Whether it keeps calls from being made as usual. */
export function isTroubled(policy, now) {
  return !['ok', 'none'].includes(toneOf(policy, now))
}

const whole = (words) => (value) => (value > 0 ? `${count(value)} ${words}` : null)

/** Figures worth a word, where a policy has them. */
const figures = {
  failures: whole('failures in its window'),
  failureRate: (value) => `${ratio(value)} fail`,
  nextAttemptAt: (value, now) => (value > now ? `next probe in ${lasted(value - now)}` : null),
  pausedUntil: (value, now) => (value > now ? `goes on in ${lasted(value - now)}` : null),
  refusedTotal: whole('refused'),
  refused: whole('refused'),
  openedTotal: whole('times opened'),
  running: (value, _now, policy) =>
    policy.maxConcurrent === undefined ? `${count(value)} running` : `${count(value)} of ${count(policy.maxConcurrent)} places taken`,
  queued: whole('queued'),
  rejected: whole('rejected'),
  totalRetries: whole('retries'),
  waiting: whole('waiting'),
  averageDelayMs: (value) => `${latency(value)} mean delay`,
  budgetExhausted: whole('stopped by the retry budget'),
  timeouts: whole('timed out'),
  abandoned: whole('given up and still running'),
  afterMs: (value) => `limit ${latency(value)}`,
  used: whole('answered instead'),
}

/** Fills the table: what does not let everything through comes first. Rows stay in place while their order does. */
export function showPolicies(table, policies, now) {
  const body = table.tBodies[0]
  const rows = new Map([...body.rows].map((row) => [row.dataset.name, row]))
  const sorted = policies.toSorted((a, b) => rank(a, now) - rank(b, now) || a.name.localeCompare(b.name))
  for (const [index, policy] of sorted.entries()) {
    const row = rows.get(policy.name) ?? newRow(policy.name)
    rows.delete(policy.name)
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null)
    fill(row, policy, now)
  }
  for (const row of rows.values()) row.remove()
}

const order = ['bad', 'forced', 'paused', 'warning', 'ok', 'none']
const rank = (policy, now) => order.indexOf(toneOf(policy, now))

function newRow(name) {
  const row = document.createElement('tr')
  row.dataset.name = name
  const heading = document.createElement('th')
  heading.scope = 'row'
  row.append(heading, ...[0, 1, 2, 3].map(() => document.createElement('td')))
  const [, , state, since] = row.cells
  state.className = 'state'
  since.className = 'number'
  return row
}

function fill(row, policy, now) {
  const [name, kind, state, since, details] = row.cells
  const { status = {}, forced } = policy
  setText(name, policy.name)
  setText(kind, policy.kind)
  setText(state, stateOf(policy, now) + (forced ? ', by hand' : ''))
  state.dataset.tone = toneOf(policy, now)
  setText(since, typeof status.since === 'number' ? lasted(now - status.since) : '')
  setText(details, [...figuresOf(status, now), ...forcedWords(forced, now)].join(', '))
}

function figuresOf(status, now) {
  return Object.entries(figures).flatMap(([figure, say]) => {
    const value = status[figure]
    const said = typeof value === 'number' ? say(value, now, status) : null
    return said === null ? [] : [said]
  })
}

function forcedWords(forced, now) {
  if (!forced) return []
  const until = forced.expiresAt === null ? 'until taken back' : `for ${lasted(forced.expiresAt - now)} more`
  return [`${forced.action} by ${forced.by} ${until}: ${forced.reason}`]
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}
