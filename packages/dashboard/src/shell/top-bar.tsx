import { connection, demo, now, server } from '../live/store.ts'
import { theme, timeStyle } from '../preferences.ts'
import { Link, route, type Route } from '../router.tsx'
import { SessionMenu } from '../session/session-menu.tsx'
import { lastedText } from '../words/figure-text.ts'
import { clockTimeText, wholeTimeText, zoneName, zoneOffsetText } from '../words/time-text.ts'
import { isHelpOpen } from './help-dialog.tsx'
import { nextTheme, themeTexts } from './theme.ts'

interface Place {
  readonly to: string
  readonly title: string
  readonly pages: readonly Route['page'][]
}

const places: readonly Place[] = [
  { to: '/', title: 'Overview', pages: ['overview', 'dependency'] },
  { to: '/policies', title: 'Policies', pages: ['policies', 'policy'] },
  { to: '/events', title: 'Events', pages: ['events'] },
  { to: '/audit', title: 'Audit', pages: ['audit'] },
  { to: '/configuration', title: 'Configuration', pages: ['configuration'] },
]
const demoPlace: Place = { to: '/demo', title: 'Demo', pages: ['demo'] }

/** Where one is, where one can go, and whether what is shown is the present. */
export function TopBar() {
  const shown = demo.value === undefined ? places : [...places, demoPlace]
  return (
    <header class="top">
      <a class="brand" href="#/">
        <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
          <path d="M3 2h3v5h4V2h3v12h-3V10H6v4H3z" fill="currentColor" />
        </svg>
        Holdfast
      </a>
      <nav aria-label="Pages">
        <ul>
          {shown.map(({ to, title, pages }) => (
            <li key={to}>
              <Link to={to} current={pages.includes(route.value.page)}>
                {title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div class="top-status">
        <HealthWords />
        <ConnectionWords />
        <Tools />
        <SessionMenu />
      </div>
    </header>
  )
}

const healthTexts = { pass: 'healthy', warn: 'degraded', fail: 'unhealthy', unknown: 'health unknown' } as const

function HealthWords() {
  const known = server.value
  if (known === null) return null
  const { status, summary, ready, reasons } = known.health
  const phase = known.phase === 'draining' ? ', draining' : ''
  const readiness = ready || known.phase !== 'serving' ? '' : ', not ready'
  return (
    <span class="health-words" data-status={status} title={[summary, ...reasons].join('\n')}>
      {healthTexts[status]}
      {readiness}
      {phase}
    </span>
  )
}

const shapes = {
  connecting: 'M6 1.5a4.5 4.5 0 1 0 4.5 4.5',
  live: 'M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8z',
  reconnecting: 'M6 1.5a4.5 4.5 0 1 0 4.5 4.5M10.5 2v4h-4',
  stale: 'M6 1 11.5 11H.5z',
} as const

function ConnectionWords() {
  const { state, ageMs } = connection.value
  const isSolid = state === 'live' || state === 'stale'
  return (
    <span class="connection" data-state={state}>
      <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">
        <path d={shapes[state]} fill={isSolid ? 'currentColor' : 'none'} stroke={isSolid ? 'none' : 'currentColor'} stroke-width="1.6" />
      </svg>
      {state}
      {state === 'stale' && ageMs !== null && ` ${lastedText(ageMs)}`}
    </span>
  )
}

function Tools() {
  const isRelative = timeStyle.value === 'relative'
  return (
    <div class="top-tools">
      <button
        type="button"
        class="plain"
        title={`Times as ${isRelative ? 'ages; click for clock times' : 'clock times; click for ages'}. Zone: ${zoneName}. Server: ${wholeTimeText(now.value)}`}
        onClick={() => (timeStyle.value = isRelative ? 'absolute' : 'relative')}
      >
        {isRelative ? 'ages' : 'times'}{' '}
        <span class="server-clock">
          {clockTimeText(now.value)} <span class="quiet">{zoneOffsetText(now.value)}</span>
        </span>
      </button>
      <button
        type="button"
        class="plain"
        title={`Colours: ${themeTexts[theme.value]}`}
        aria-label={`Colours: ${themeTexts[theme.value]}`}
        onClick={nextTheme}
      >
        <svg viewBox="0 0 14 14" width="13" height="13" aria-hidden="true">
          <circle cx="7" cy="7" r="5.5" fill="none" stroke="currentColor" stroke-width="1.4" />
          {theme.value !== 'light' && (
            <path
              d={theme.value === 'dark' ? 'M7 1.5a5.5 5.5 0 0 1 0 11 5.5 5.5 0 0 1 0-11z' : 'M7 1.5a5.5 5.5 0 0 1 0 11z'}
              fill="currentColor"
            />
          )}
        </svg>
      </button>
      <button
        type="button"
        class="plain"
        title="Keys and states (?)"
        aria-label="Keys and states"
        onClick={() => (isHelpOpen.value = true)}
      >
        ?
      </button>
    </div>
  )
}
