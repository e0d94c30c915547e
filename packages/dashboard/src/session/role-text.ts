import type { SessionView } from '@holdfast/server/wire'

/** Why the one who looks may not change anything; null when they may. */
export function whyNotOperate(session: SessionView | null): string | null {
  if (session === null) return 'Who you are is not known yet.'
  if (!session.tokens) return "No token is configured, so nothing can be changed here: add one with the role 'operate' under server.tokens."
  if (session.role === 'operate') return null
  if (session.role === 'read') return `Actions need the role 'operate'; ${session.who ?? 'this token'} may only read.`
  return "Actions need the role 'operate'."
}

/** Whether logging in (with another token) could help. */
export function canLogIn(session: SessionView | null): boolean {
  return session?.tokens === true && session.role !== 'operate'
}
