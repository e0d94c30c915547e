// One line per step, with the seconds since the tool began, so that a wait is never silent.
const heartbeatMs = 10_000

/** Seconds since this process began, as people read them. */
export function elapsed() {
  return `${process.uptime().toFixed(1)} s`
}

/** @param {string} text */
export function say(text) {
  console.log(`[${elapsed().padStart(7)}] ${text}`)
}

/**
 * Repeats a line every ten seconds until the returned function is called.
 * @param {() => string} describe What is still going on.
 */
export function startHeartbeat(describe) {
  const timer = setInterval(() => say(`still ${describe()}`), heartbeatMs)
  return () => clearInterval(timer)
}
