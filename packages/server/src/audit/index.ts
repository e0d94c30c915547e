export { AuditLog, type AuditVerification } from './audit-log.ts'
export type { AuditEntry } from './audit-record.ts'
