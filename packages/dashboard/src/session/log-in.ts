import type { SessionView } from '@holdfast/server/wire'
import { signal } from '@preact/signals'
import { ApiError, deleteJson, getJson, postJson, session } from '../api/client.ts'
import { takeTokenFromAddress } from './address-token.ts'

const sessionPath = '/api/v1/session'
const longestTimerMs = 2 ** 31 - 1

/** Why the log-in dialog is open, as it says; null while it is closed. */
export const logInPrompt = signal<string | null>(null)

export function openLogIn(prompt = ''): void {
  logInPrompt.value = prompt
}

/**
 * Logs in; the server answers with a cookie that scripts cannot read, and the token is kept nowhere.
 * @throws ApiError when the server refuses it.
 */
export async function logIn(token: string): Promise<void> {
  takeSession(await postJson<SessionView>(sessionPath, { token }))
  logInPrompt.value = null
}

export async function logOut(): Promise<void> {
  await deleteJson(sessionPath)
  await readSession()
}

/** Asks the server who this page works for. */
async function readSession(): Promise<void> {
  takeSession(await getJson<SessionView>(sessionPath))
}

/** At the start of the page: a token in the address logs in; without one the session of the cookie goes on. */
export async function startSession(): Promise<void> {
  const token = takeTokenFromAddress()
  try {
    if (token === null) await readSession()
    else await logIn(token)
  } catch (error) {
    if (token === null) return // the live feed says that the server cannot be reached
    openLogIn(`The token in the address was not taken: ${logInFailure(error)}`)
    await readSession().catch(() => undefined)
  }
}

/** A refusal of the log-in in words, with the time to wait when there were too many. */
export function logInFailure(error: unknown): string {
  if (!(error instanceof ApiError)) return 'the server cannot be reached.'
  if (error.status === 401) return 'this token is not known here.'
  return error.message
}

let expiry: ReturnType<typeof setTimeout> | undefined

function takeSession(next: SessionView): void {
  session.value = next
  clearTimeout(expiry)
  if (next.who === null || next.expiresAt === null) return
  expiry = setTimeout(() => void endSession(), Math.min(longestTimerMs, Math.max(0, next.expiresAt - Date.now() + 500)))
}

async function endSession(): Promise<void> {
  await readSession().catch(() => undefined)
  if (session.value?.who === null) openLogIn('Your session has ended.')
}

/** After an action was refused: the session may have ended on the server's side. Answers whether a log-in was offered. */
export async function offerLogInAfter(error: unknown): Promise<boolean> {
  if (!(error instanceof ApiError) || error.status !== 401) return false
  await readSession().catch(() => undefined)
  if (session.value?.tokens !== true) return false
  openLogIn('Your session has ended.')
  return true
}
