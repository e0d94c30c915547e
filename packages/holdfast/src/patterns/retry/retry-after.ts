export { parseRetryAfter, serverHint, type ServerHint } from '../../core/server-hint.ts'
