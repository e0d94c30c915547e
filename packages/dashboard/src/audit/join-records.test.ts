import type { AuditView } from '@holdfast/server/wire'
import { expect, it } from 'vitest'
import { joinRecords } from './join-records.ts'

const page = (...ids: number[]): AuditView[] => ids.map((id) => ({ id }) as AuditView)
const ids = (known: AuditView[], read: AuditView[]) => joinRecords(known, read).records.map(({ id }) => id)

it('joins newer and older pages, each record once, newest first', () => {
  expect(ids(page(3, 2), page(4, 3))).toEqual([4, 3, 2])
  expect(ids(page(3, 2), page(1))).toEqual([3, 2, 1])
  expect(ids(page(3, 2), page(5, 4))).toEqual([5, 4, 3, 2])
})

it('starts anew when records between the known and the newest were not read', () => {
  expect(joinRecords(page(3, 2), page(1_000, 999))).toMatchObject({ records: [{ id: 1_000 }, { id: 999 }], isAnew: true })
  expect(joinRecords([], page(2, 1)).isAnew).toBe(true)
})

it('keeps what is known when nothing was read', () => {
  expect(ids(page(3, 2), [])).toEqual([3, 2])
})
