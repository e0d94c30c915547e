// Runs npm install so that a person can watch it, and gives up on an unreachable registry in seconds, not in npm's many minutes.
import { Failure } from './failure.mjs'
import { runNpm } from './npm.mjs'
import { say, startHeartbeat } from './progress.mjs'

/** Everything a build and the tests need, whatever NODE_ENV or the user's npm settings leave out, and no foreign code run on the way. */
const contents = ['--include=dev', '--include=optional', '--ignore-scripts']
const manner = ['--prefer-offline', '--no-audit', '--no-fund', '--no-progress', '--loglevel=http']
const retries = ['--fetch-retries=3', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
/** The registry counts as unreachable when a request has failed this often and no other was answered meanwhile. */
const attemptsToGiveUp = 3

/**
 * Installs from the registry, or from npm's cache when the registry cannot be reached.
 * @param {string} folder
 * @param {readonly string[]} options More options for npm.
 * @throws {Failure} when npm does not succeed.
 */
export async function npmInstall(folder, options) {
  const online = await run(folder, [...retries, ...options])
  if (online.code === 0) return
  if (!online.unreachable) throw new Failure(`npm ended with code ${online.code}; its messages are above.`)
  say('the npm registry cannot be reached; trying with what npm has in its cache')
  const offline = await run(folder, ['--offline', ...options])
  if (offline.code === 0) return
  throw new Failure('Dependencies are missing and the npm registry cannot be reached. Check the network and `npm config get registry`.')
}

/**
 * @param {string} folder
 * @param {readonly string[]} options
 */
async function run(folder, options) {
  let fetched = 0
  let failures = 0
  let unreachable = false
  const stopHeartbeat = startHeartbeat(() => `installing, ${fetched} packages fetched`)
  try {
    const { code } = await runNpm(['install', ...contents, ...manner, ...options], {
      cwd: folder,
      onLine: (line, stop) => {
        const attempt = failedAttempt(line)
        if (attempt > 0) {
          failures += 1
          unreachable = attempt >= attemptsToGiveUp && failures >= attemptsToGiveUp
          if (unreachable) stop()
        } else if (line.startsWith('npm http ')) {
          fetched += 1
          failures = 0
        } else if (line.trim() !== '') say(`  ${line}`)
      },
    })
    return { code, unreachable }
  } finally {
    stopHeartbeat()
  }
}

/**
 * How often the request of this line has failed by now; 0 when the line tells of no failed request.
 * @param {string} line A line of npm's log.
 */
function failedAttempt(line) {
  return Number(/^npm http .* attempt (\d+) failed with /.exec(line)?.[1] ?? 0)
}
