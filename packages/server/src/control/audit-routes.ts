import { Hono } from 'hono'
import type { AuditLog, AuditVerification } from '../audit/index.ts'
import type { ControlEnvironment } from './environment.ts'
import { problem } from './problem.ts'

const maxRecords = 1_000
/** Reading a long chain takes a while: many who ask share one answer. */
const verifyEveryMs = 10_000

/** `GET /api/v1/audit`: the latest records, newest first, and whether the whole chain is as it was written. */
export function auditRoutes(audit: AuditLog, now: () => number): Hono<ControlEnvironment> {
  let verification: Promise<AuditVerification> | undefined
  let verifiedAt = -Infinity
  const verified = async (): Promise<boolean> => {
    if (verification === undefined || now() - verifiedAt > verifyEveryMs) {
      verifiedAt = now()
      verification = audit.verify()
    }
    try {
      return (await verification).ok
    } catch (error) {
      verification = undefined
      throw error
    }
  }
  return new Hono<ControlEnvironment>().get('/audit', async (context) => {
    const before = wholeNumber(context.req.query('before'), Number.MAX_SAFE_INTEGER)
    const limit = wholeNumber(context.req.query('limit'), 100)
    if (before === undefined || limit === undefined || limit < 1 || limit > maxRecords)
      return context.json(problem('bad-request', `'before' must be a whole number, 'limit' one from 1 to ${maxRecords}`), 400)
    return context.json({ records: audit.list(limit, before), verified: await verified() })
  })
}

function wholeNumber(text: string | undefined, otherwise: number): number | undefined {
  if (text === undefined) return otherwise
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
