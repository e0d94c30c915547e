export { DatabaseError } from './database-error.ts'
export { openDatabase, type Database, type Row } from './database.ts'
export type { SetAside } from './set-aside.ts'
