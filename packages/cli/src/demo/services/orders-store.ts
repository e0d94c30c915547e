import Database from 'libsql'

/** What a client asks for. */
export interface OrderRequest {
  readonly task: string
  readonly sku: string
  readonly quantity: number
}

export interface Order extends OrderRequest {
  readonly id: number
}

export type Placed =
  | { readonly kind: 'created'; readonly order: Order }
  /** The key had been used for the same order: that order. */
  | { readonly kind: 'replayed'; readonly order: Order }
  /** The key had been used for another order. */
  | { readonly kind: 'conflict' }

export interface OrdersStore {
  /** Writes the order to disk before it answers. With a key, at most once for that key, also across a crash. */
  place(request: OrderRequest, key: string | undefined): Placed
  find(id: number): Order | undefined
  /** Orders written, and tasks that have more than one. */
  figures(): { readonly rows: number; readonly tasksOrderedTwice: number }
  close(): void
}

/** The key stands in the order's own row, so that order and key are written together or not at all. */
const schema = `
  create table if not exists orders (
    id integer primary key,
    task text not null,
    sku text not null,
    quantity integer not null,
    idempotency_key text unique
  ) strict;
  create index if not exists orders_by_task on orders (task);
`

type Row = Order

/** Orders in one SQLite file; `synchronous = full`, so an answered order survives a power cut. */
export function openOrdersStore(file: string): OrdersStore {
  const database = new Database(file)
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = full')
  database.exec(schema)
  const insert = database.prepare<[string, string, number, string | null]>(
    'insert into orders (task, sku, quantity, idempotency_key) values (?, ?, ?, ?) on conflict (idempotency_key) do nothing',
  )
  const byKey = database.prepare<[string]>('select id, task, sku, quantity from orders where idempotency_key = ?')
  const byId = database.prepare<[number]>('select id, task, sku, quantity from orders where id = ?')
  const count = database.prepare<[]>('select count(*) as number from orders')
  const countTwice = database.prepare<[]>('select count(*) as number from (select 1 from orders group by task having count(*) > 1)')

  return {
    place: (request, key) => {
      const written = insert.run(request.task, request.sku, request.quantity, key ?? null)
      if (written.changes === 1) return { kind: 'created', order: { id: Number(written.lastInsertRowid), ...plain(request) } }
      const order = orderOf(byKey.get(key as string) as Row)
      return isSame(order, request) ? { kind: 'replayed', order } : { kind: 'conflict' }
    },
    find: (id) => {
      const row = byId.get(id) as Row | undefined
      return row === undefined ? undefined : orderOf(row)
    },
    figures: () => ({ rows: numberIn(count.get()), tasksOrderedTwice: numberIn(countTwice.get()) }),
    close: () => {
      database.close()
    },
  }
}

function plain({ task, sku, quantity }: OrderRequest): OrderRequest {
  return { task, sku, quantity }
}

/** Rows come with a field of the driver's own. */
function orderOf(row: Row): Order {
  return { id: row.id, ...plain(row) }
}

function isSame(order: Order, request: OrderRequest): boolean {
  return order.task === request.task && order.sku === request.sku && order.quantity === request.quantity
}

function numberIn(row: unknown): number {
  return (row as { number: number }).number
}
