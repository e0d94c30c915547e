import type { AuditView } from '@holdfast/server/wire'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { ApiError, getJson } from '../api/client.ts'
import { openLogIn } from '../session/log-in.ts'
import { TimeText } from '../ui/time-text.tsx'
import { countText } from '../words/figure-text.ts'
import { auditChanges } from './audit-change.ts'
import { joinRecords } from './join-records.ts'
import './audit.css'

interface AuditAnswer {
  readonly records: readonly AuditView[]
  readonly verified: boolean
}

const pageSize = 100
const refreshMs = 10_000

/** Who changed what, when and why: newest first, with the state of the chain that makes tampering visible. */
export function AuditPage() {
  const records = useSignal<readonly AuditView[]>([])
  const isVerified = useSignal<boolean | null>(null)
  const failure = useSignal<{ readonly text: string; readonly needsLogIn: boolean } | null>(null)
  const isReading = useSignal(false)
  const isComplete = useSignal(false)

  const read = async (before: number | null): Promise<void> => {
    isReading.value = true
    try {
      const answer = await getJson<AuditAnswer>(`/api/v1/audit?${before === null ? '' : `before=${before}&`}limit=${pageSize}`)
      const joined = joinRecords(records.value, answer.records)
      if (before !== null || joined.isAnew) isComplete.value = answer.records.length < pageSize
      records.value = joined.records
      isVerified.value = answer.verified
      failure.value = null
    } catch (error) {
      const needsLogIn = error instanceof ApiError && (error.status === 401 || error.status === 403)
      failure.value = { text: error instanceof Error ? error.message : 'The server cannot be reached.', needsLogIn }
    } finally {
      isReading.value = false
    }
  }
  useEffect(() => {
    void read(null)
    const timer = setInterval(() => {
      if (!document.hidden && !isReading.value) void read(null)
    }, refreshMs)
    return () => clearInterval(timer)
  }, [])

  return (
    <div class="audit-page">
      <h1>Audit</h1>
      <Chain newest={records.value[0] ?? null} isVerified={isVerified.value} />
      {failure.value !== null && (
        <p class="failed">
          The audit log could not be read: {failure.value.text}{' '}
          {failure.value.needsLogIn && (
            <button type="button" class="link" onClick={() => openLogIn()}>
              Log in
            </button>
          )}
        </p>
      )}
      {records.value.length > 0 && <Records records={records.value} />}
      {records.value.length === 0 && failure.value === null && (
        <p class="quiet">{isReading.value ? 'Reading …' : 'Nobody has changed anything yet. Each change leaves a record here.'}</p>
      )}
      {records.value.length > 0 && !isComplete.value && (
        <p>
          <button type="button" disabled={isReading.value} onClick={() => void read(records.value.at(-1)?.id ?? null)}>
            {isReading.value ? 'Reading …' : 'Show older'}
          </button>
        </p>
      )}
    </div>
  )
}

function Chain({ newest, isVerified }: { readonly newest: AuditView | null; readonly isVerified: boolean | null }) {
  if (newest === null || isVerified === null) return null
  return isVerified ? (
    <p class="chain intact">
      <span aria-hidden="true">✓ </span>
      Verified up to record {countText(newest.id)}: each record carries the hash of the one before it.{' '}
      <span class="hash" title={newest.hash}>
        {newest.hash.slice(0, 12)}…
      </span>
    </p>
  ) : (
    <p class="chain broken" role="alert">
      <span aria-hidden="true">▲ </span>
      The chain is broken: a record was changed or removed after it was written. Compare the database with a backup.
    </p>
  )
}

function Records({ records }: { readonly records: readonly AuditView[] }) {
  return (
    <div class="wide">
      <table class="audit">
        <thead>
          <tr>
            <th scope="col" class="number">
              #
            </th>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">Action</th>
            <th scope="col">Subject</th>
            <th scope="col">Before → after</th>
            <th scope="col">Reason</th>
            <th scope="col">Expires</th>
            <th scope="col">Address</th>
          </tr>
        </thead>
        <tbody>
          {records.map((record) => (
            <tr key={record.id}>
              <td class="number" title={record.hash}>
                {record.id}
              </td>
              <td class="time">
                <TimeText at={record.at} />
              </td>
              <th scope="row">{record.who}</th>
              <td>{record.action}</td>
              <td>{record.subject}</td>
              <td>
                <Changes record={record} />
              </td>
              <td class="reason">{record.reason ?? '–'}</td>
              <td class="time">{record.expiresAt === null ? '–' : <TimeText at={record.expiresAt} />}</td>
              <td class="address">{record.address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Changes({ record: { before, after } }: { readonly record: AuditView }) {
  const changes = auditChanges(before, after)
  if (changes.length === 0) return <>–</>
  return (
    <ul class="changes">
      {changes.map(({ name, before: from, after: to }) => (
        <li key={name}>
          {name !== null && <span class="quiet">{name} </span>}
          <span class="before">{from}</span> → <b>{to}</b>
        </li>
      ))}
    </ul>
  )
}
