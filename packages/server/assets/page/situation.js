import { count, lasted, ratio } from './format.js'
import { isTroubled, stateOf } from './policies.js'

/** What is going on, in a sentence or two. */
export function situation(policies, demo, now) {
  const policyWords = policySentence(policies, now)
  return demo ? `${demoSentence(demo)} ${policyWords}` : policyWords
}

function policySentence(policies, now) {
  if (policies.length === 0) return 'No policy has been reported yet.'
  const troubled = policies.filter((policy) => isTroubled(policy, now))
  if (troubled.length === 0) return `All ${count(policies.length)} policies let calls through.`
  const named = troubled.slice(0, 3).map((policy) => `${policy.name} ${stateWords(policy, now)}${probeWords(policy, now)}`)
  const more = troubled.length > 3 ? `, and ${troubled.length - 3} more` : ''
  return `${named.join('; ')}${more}.`
}

/** The same without times, for those who listen: it changes only when a state does. */
export function announcement(policies, now) {
  const troubled = policies.filter((policy) => isTroubled(policy, now))
  if (troubled.length === 0) return 'All policies let calls through.'
  return troubled.map((policy) => `${policy.name} is ${stateOf(policy, now)}`).join(', ')
}

function stateWords(policy, now) {
  const state = stateOf(policy, now)
  const { since } = policy.status ?? {}
  return typeof since === 'number' ? `has been ${state} for ${lasted(now - since)}` : `is ${state}`
}

function probeWords({ status }, now) {
  const nextAttemptAt = status?.nextAttemptAt
  return typeof nextAttemptAt === 'number' && nextAttemptAt > now ? `, next probe in ${lasted(nextAttemptAt - now)}` : ''
}

function demoSentence({ faultSegments, script, lanes }) {
  const current = faultSegments.filter((segment) => segment.until === null)
  const calm = script.index === null ? 'The script is over' : 'No fault is in force'
  const faults = current.length === 0 ? calm : current.map(({ service, text }) => `${service} ${text}`).join('; ')
  const shares = lanes
    .filter((lane) => lane.recent.successRatio !== null)
    .map((lane) => `${ratio(lane.recent.successRatio)} in the ${lane.title} lane`)
  return shares.length === 0 ? `${faults}.` : `${faults}. Tasks that succeeded in the last 10 s: ${shares.join(', ')}.`
}
