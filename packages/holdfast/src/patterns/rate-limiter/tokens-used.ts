/** Names under which providers and SDKs write how many tokens a call took, by the way they are summed up. */
const totals = ['total_tokens', 'totalTokens', 'totalTokenCount'] as const
const inputs = [
  ['input_tokens', 'prompt_tokens', 'inputTokens', 'promptTokens', 'promptTokenCount'],
  ['cache_creation_input_tokens'],
  ['output_tokens', 'completion_tokens', 'outputTokens', 'completionTokens', 'candidatesTokenCount'],
] as const

/**
 * Tokens that an LLM's answer says it took: `usage` of OpenAI (`total_tokens`), Anthropic (`input_tokens` + what was written to the
 * cache + `output_tokens`), the AI SDK (`totalTokens`) and Gemini (`usageMetadata`). Undefined when it does not say.
 * @example `rateLimiter({ limits, actualCost: (answer) => ({ tokens: tokensUsed(answer) ?? 1_000 }) })`
 */
export function tokensUsed(answer: unknown): number | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const { usage, totalUsage, usageMetadata, usage_metadata, message } = answer as Readonly<Record<string, unknown>>
  for (const found of [totalUsage, usage, usageMetadata, usage_metadata, (message as { usage?: unknown } | null | undefined)?.usage]) {
    const tokens = sum(found)
    if (tokens !== undefined) return tokens
  }
  return undefined
}

function sum(usage: unknown): number | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined
  const total = firstOf(usage, totals)
  if (total !== undefined) return total
  const parts = inputs.map((names) => firstOf(usage, names)).filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.reduce((all, part) => all + part, 0)
}

function firstOf(usage: object, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value: unknown = (usage as Readonly<Record<string, unknown>>)[name]
    if (typeof value === 'number' && value >= 0 && value < Infinity) return value
  }
  return undefined
}
