import { session } from '../api/client.ts'
import { OverviewPage } from '../overview/overview-page.tsx'
import { PoliciesPage } from '../policies/policies-page.tsx'
import { route, type Route } from '../router.tsx'
import { openLogIn } from '../session/log-in.ts'
import { LogInDialog } from '../session/log-in-dialog.tsx'
import { Empty } from '../ui/notice.tsx'
import { Announcer } from './announcer.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { HelpDialog } from './help-dialog.tsx'
import { lazyPage } from './lazy-page.tsx'
import { TopBar } from './top-bar.tsx'
import { UnknownPage } from './unknown-page.tsx'
import { useKeys } from './use-keys.ts'
import { usePageTitle } from './use-page-title.ts'

const EventsPage = lazyPage('events', async () => (await import('../events/events-page.tsx')).EventsPage)
const AuditPage = lazyPage('audit log', async () => (await import('../audit/audit-page.tsx')).AuditPage)
const ConfigurationPage = lazyPage('configuration', async () => (await import('../configuration/configuration-page.tsx')).ConfigurationPage)
const DemoPage = lazyPage('demo', async () => (await import('../demo/demo-page.tsx')).DemoPage)
const PolicyPage = lazyPage('policy', async () => (await import('../detail/policy-page.tsx')).PolicyPage)
const DependencyPage = lazyPage('dependency', async () => (await import('../detail/dependency-page.tsx')).DependencyPage)

/** What stands on every page, around the one that the address names. */
export function Shell() {
  useKeys()
  usePageTitle()
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <TopBar />
      <ConnectionBanner />
      <main id="main" tabIndex={-1}>
        {mayLook() ? <Page route={route.value} /> : <LogInFirst />}
      </main>
      <Announcer />
      <HelpDialog />
      <LogInDialog />
    </>
  )
}

function mayLook(): boolean {
  const known = session.value
  return known === null || !known.loginRequired || known.who !== null
}

function LogInFirst() {
  return (
    <Empty title="This server shows itself only to those it knows">
      <button type="button" class="primary" onClick={() => openLogIn()}>
        Log in
      </button>
    </Empty>
  )
}

function Page({ route: shown }: { readonly route: Route }) {
  switch (shown.page) {
    case 'overview':
      return <OverviewPage />
    case 'policies':
      return <PoliciesPage />
    case 'policy':
      return <PolicyPage id={shown.name} key={shown.name} />
    case 'dependency':
      return <DependencyPage name={shown.name} key={shown.name} />
    case 'events':
      return <EventsPage />
    case 'audit':
      return <AuditPage />
    case 'configuration':
      return <ConfigurationPage />
    case 'demo':
      return <DemoPage />
    case 'unknown':
      return <UnknownPage path={shown.path} />
  }
}

/** The address names the page; the link must not change it. */
function skipToMain(event: MouseEvent): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
