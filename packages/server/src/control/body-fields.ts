import { parseDuration } from 'holdfast'
import * as z from 'zod'

const longestMs = 365 * 86_400_000

/** Why somebody changes something: goes on record. */
export const reasonField: z.ZodType<string> = z
  .string({ error: 'must be a text' })
  .trim()
  .min(1, { error: 'must not be empty' })
  .max(500, { error: 'must have at most 500 characters' })

/** How long something is to last; becomes ms. */
export const expiresInField: z.ZodType<number> = z.string({ error: "must be a duration such as '15m'" }).transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 1_000 && ms <= longestMs) return ms
  context.addIssue({ code: 'custom', message: "must be a duration from '1s' to '365d', such as '15m'" })
  return z.NEVER
})
