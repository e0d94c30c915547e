import { isQuotaExhausted } from '../../core/quota-exhausted.ts'

/** Longer bodies are no error bodies of a provider. */
const longestBody = 65_536

/**
 * Whether an answer says that the account has no more to spend. Its own body stays unread: a copy is read, up to a length, and only
 * of a 402, 403 or 429 in JSON.
 */
export async function saysQuotaExhausted(response: Response): Promise<boolean> {
  if (response.status === 402) return true
  if (response.status !== 403 && response.status !== 429) return false
  if (response.body === null || !(response.headers.get('content-type') ?? '').includes('json')) return false
  if (Number(response.headers.get('content-length') ?? 0) > longestBody) return false
  const reader = response.clone().body?.getReader()
  if (reader === undefined) return false
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (let piece = await reader.read(); !piece.done && text.length <= longestBody; piece = await reader.read())
      text += decoder.decode(piece.value, { stream: true })
  } catch {
    return false // the caller will see the same when reading the original
  }
  // to cancel one of two copies waits for the other
  reader.cancel().catch(() => undefined)
  return isQuotaExhausted(text)
}
