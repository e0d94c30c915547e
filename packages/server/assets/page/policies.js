import { count, lasted, latency, ratio } from './format.js'

/** How each state looks; states the page does not know are shown in their own words. */
const tones = {
  closed: 'ok',
  'half-open': 'warning',
  open: 'bad',
  isolated: 'bad',
  disabled: 'forced',
  paused: 'paused',
  full: 'warning',
  pass: 'ok',
  warn: 'warning',
  fail: 'bad',
}

export function toneOf(policy) {
  if (policy.forced || String(policy.state).startsWith('forced')) return 'forced'
  return tones[policy.state] ?? 'none'
}

const whole = (words) => (value) => (value > 0 ? `${count(value)} ${words}` : null)

/** Figures worth a word, where a policy has them. */
const figures = {
  failures: whole('failures in its window'),
  failureRate: (value) => `${ratio(value)} fail`,
  nextAttemptAt: (value, now) => (value > now ? `next probe in ${lasted(value - now)}` : 'probes next'),
  refusedTotal: whole('refused'),
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
  const rows = new Map([...body.rows].map((row) => [row.dataset.key, row]))
  const sorted = [...policies].sort(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || String(a.kind).localeCompare(String(b.kind)),
  )
  for (const [index, policy] of sorted.entries()) {
    const key = `${policy.kind}\n${policy.name}`
    const row = rows.get(key) ?? newRow(key)
    rows.delete(key)
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null)
    fill(row, policy, now)
  }
  for (const row of rows.values()) row.remove()
}

const order = ['bad', 'forced', 'paused', 'warning', 'ok', 'none']
const rank = (policy) => order.indexOf(toneOf(policy))

function newRow(key) {
  const row = document.createElement('tr')
  row.dataset.key = key
  const name = document.createElement('th')
  name.scope = 'row'
  row.append(name, ...[0, 1, 2, 3].map(() => document.createElement('td')))
  const [, , state, since] = row.cells
  state.className = 'state'
  since.className = 'number'
  return row
}

function fill(row, policy, now) {
  const [name, kind, state, since, details] = row.cells
  setText(name, policy.name)
  setText(kind, policy.kind)
  setText(state, policy.state ?? '–')
  state.dataset.tone = toneOf(policy)
  setText(since, typeof policy.since === 'number' ? lasted(now - policy.since) : '–')
  setText(details, detailsOf(policy, now))
}

function detailsOf(policy, now) {
  const words = Object.entries(figures).flatMap(([figure, say]) => {
    const value = policy[figure]
    const said = typeof value === 'number' ? say(value, now, policy) : null
    return said === null ? [] : [said]
  })
  return words.join(', ')
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}
