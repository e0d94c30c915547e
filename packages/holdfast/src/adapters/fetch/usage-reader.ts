import { tokensUsed } from '../../patterns/rate-limiter/index.ts'

/** As much of a body's end as is kept to find the usage in: it comes last. */
const keptBytes = 65_536

const usages = new WeakMap<Response, UsageReader>()

/**
 * Tokens that a response of {@link resilientFetch} with `readUsage` took, once its body has been read: for a limiter's `actualCost`.
 * Undefined when it did not say.
 * @example `rateLimiter({ limits, actualCost: (response) => ({ tokens: responseTokens(response) ?? 1_000 }) })`
 */
export function responseTokens(response: unknown): number | undefined {
  return response instanceof Response ? usages.get(response)?.tokens() : undefined
}

/** Reads what an LLM's answer says of its tokens, from its body as it passes: JSON, or the events of a stream. */
export class UsageReader {
  private chunks: Uint8Array[] = []
  private bytes = 0
  private found: number | undefined = undefined
  private read = false

  /** Its figures are those of this response. */
  belongsTo(response: Response): void {
    usages.set(response, this)
  }

  add(chunk: Uint8Array): void {
    this.chunks.push(chunk.slice())
    this.bytes += chunk.byteLength
    while (this.bytes - (this.chunks[0]?.byteLength ?? 0) >= keptBytes) this.bytes -= (this.chunks.shift() as Uint8Array).byteLength
  }

  tokens(): number | undefined {
    if (this.read) return this.found
    this.read = true
    const text = this.text()
    this.chunks = []
    this.found = tokensOf(parse(text)) ?? tokensInEvents(text)
    return this.found
  }

  private text(): string {
    const decoder = new TextDecoder()
    return this.chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
  }
}

/** The answer itself, or the one an event of a stream carries. */
function tokensOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  return tokensUsed(value) ?? tokensUsed((value as { response?: unknown }).response)
}

/** Of a stream, the last event that says it; Anthropic's first one has what went in, its last what came out. */
function tokensInEvents(text: string): number | undefined {
  let last: number | undefined
  let input = 0
  for (const line of text.split('\n')) {
    if (!line.startsWith('data:') || !line.includes('sage')) continue
    const event = parse(line.slice('data:'.length))
    const { type, message, usage } = (event ?? {}) as { type?: unknown; message?: { usage?: object }; usage?: object }
    if (type === 'message_start') input = tokensUsed({ usage: { ...message?.usage, output_tokens: 0 } }) ?? 0
    else if (type === 'message_delta')
      last = input + (tokensUsed({ usage: { ...usage, input_tokens: 0, cache_creation_input_tokens: 0 } }) ?? 0)
    else last = tokensOf(event) ?? last
  }
  return last
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
