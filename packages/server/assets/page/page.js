import { showDemo } from './demo.js'
import { showEvents } from './events.js'
import { showPolicies } from './policies.js'
import { announcement, situation } from './situation.js'
import { follow } from './stream.js'

const element = (id) => document.getElementById(id)
const connectionWords = {
  connecting: () => 'connecting',
  live: () => 'live',
  lost: (at) => `reconnecting; figures are from ${new Date(at).toLocaleTimeString()}`,
}

const announceEveryMs = 3_000
let announcedAt = -Infinity

function setText(place, words) {
  if (place.textContent !== words) place.textContent = words
}

function showState({ sections: { policies = [], demo }, events }) {
  const now = Date.now()
  showPolicies(element('policies'), policies, now)
  element('no-policies').hidden = policies.length > 0
  element('demo').hidden = !demo
  if (demo) showDemo(demo)
  element('events-section').hidden = events.length === 0
  showEvents(element('events'), events)
  setText(element('situation'), situation(policies, demo, now))
  if (now - announcedAt < announceEveryMs) return
  announcedAt = now
  setText(element('announcement'), announcement(policies, now))
}

function showConnection(state, lastAt) {
  element('connection').dataset.state = state
  setText(element('connection').querySelector('.words'), connectionWords[state](lastAt))
}

follow('/events', { onState: showState, onConnection: showConnection })
