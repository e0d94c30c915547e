import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AuditLog } from '@holdfast/server'
import { CommandFailure, exitCodes } from '../exit-codes.ts'
import { printable, type Output } from '../output.ts'

export interface AuditArguments {
  readonly dataDir: string
  readonly verify: boolean
  readonly json: boolean
  readonly limit: string
}

type AuditRecord = ReturnType<AuditLog['list']>[number]

/** `holdfast audit`: the latest records, or with `--verify` whether all of them are as they were written. Answers the exit code. */
export async function audit(args: AuditArguments, output: Output): Promise<number> {
  const limit = Number(args.limit)
  if (!/^\d{1,6}$/.test(args.limit) || limit < 1)
    throw new CommandFailure(`--limit has to be a whole number from 1 to 999999, got '${args.limit}'`, exitCodes.usage)
  const path = join(args.dataDir, 'audit.db')
  if (!existsSync(path))
    throw new CommandFailure(`there is no audit log at ${path}: name the server's folder with --data-dir (its setting server.dataDir)`)
  const log = new AuditLog(path, { wallNow: () => Date.now(), onlyReads: true })
  try {
    if (args.verify) return await verify(log, output)
    for (const record of log.list(limit).toReversed())
      output.stdout.write(args.json ? `${JSON.stringify(record)}\n` : `${lineOf(record)}\n`)
    return exitCodes.ok
  } finally {
    log.close()
  }
}

async function verify(log: AuditLog, output: Output): Promise<number> {
  const result = await log.verify()
  if (!result.ok) throw new CommandFailure(`the audit log was tampered with: ${result.message}`)
  output.stdout.write(`${result.count} records, none altered, none missing; the last is ${result.lastId}, its hash ${result.lastHash}\n`)
  return exitCodes.ok
}

function lineOf({ id, at, who, address, action, subject, reason, expiresAt }: AuditRecord): string {
  const from = address === '' ? '' : ` from ${address}`
  const until = expiresAt === null ? '' : ` until ${new Date(expiresAt).toISOString()}`
  const why = reason === null ? '' : `: ${reason}`
  return printable(`${id} ${new Date(at).toISOString()} ${who}${from} ${action} ${subject}${until}${why}`)
}
