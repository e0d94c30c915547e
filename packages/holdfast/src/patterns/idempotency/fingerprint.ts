import { writeCanonical } from './plain-value.ts'
import { sha256 } from './sha256.ts'

const encoder = new TextEncoder()

/**
 * What tells one request from another under the same key: the SHA-256 of the canonical text, so that nobody can make two requests that
 * pass for one, and the store holds nothing of what was asked for.
 * @throws NotPlainError
 */
export function fingerprintOf(payload: unknown): string {
  return sha256(encoder.encode(writeCanonical(payload)))
}
