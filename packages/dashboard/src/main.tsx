import { effect } from '@preact/signals'
import { render } from 'preact'
import { session } from './api/client.ts'
import { offerDemo } from './demo/offer-demo.ts'
import { startLive } from './live/store.ts'
import { startRouter } from './router.tsx'
import { startSession } from './session/log-in.ts'
import { Shell } from './shell/shell.tsx'
import { applyTheme } from './shell/theme.ts'
import './style/tokens.css'
import './style/base.css'
import './style/controls.css'
import './style/shell.css'
import './overview/overview.css'
import './policies/policies.css'

applyTheme()
startRouter()
void startSession() // takes a token out of the address first
const reopen = startLive()
let who: string | null | undefined
effect(() => {
  const next = session.value?.who
  if (who !== undefined && next !== who) reopen()
  who = next
})
offerDemo()
const place = document.getElementById('app')
if (place !== null) render(<Shell />, place)
