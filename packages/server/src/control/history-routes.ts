import { Hono } from 'hono'
import { historyRanges, type History } from '../history/index.ts'
import type { HistoryRange } from '../wire.ts'
import { problem } from './problem.ts'
import type { ControlEnvironment } from './environment.ts'

const maxEvents = 1_000

/** `/api/v1/history` and `/api/v1/events`: what happened. */
export function historyRoutes(history: History): Hono<ControlEnvironment> {
  return new Hono<ControlEnvironment>()
    .get('/history', (context) => {
      const range = readRange(context.req.query('range'))
      if (range === undefined) return context.json(badRange, 400)
      return context.json(history.wall(range))
    })
    .get('/history/:dependency', (context) => {
      const range = readRange(context.req.query('range'))
      if (range === undefined) return context.json(badRange, 400)
      const answer = history.dependency(context.req.param('dependency'), range)
      if (answer === undefined) return context.json(problem('not-found', 'there is no dependency of that name'), 404)
      return context.json(answer)
    })
    .get('/events', (context) => {
      const { after, before, limit = '200', policy, type } = context.req.query()
      const numbers = { after: wholeNumber(after), before: wholeNumber(before), limit: wholeNumber(limit) }
      const wrong = Object.entries({ after, before, limit }).find(
        ([name, text]) => text !== undefined && Number.isNaN(numbers[name as keyof typeof numbers]),
      )
      if (wrong !== undefined) return context.json(problem('bad-request', `'${wrong[0]}' must be a whole number from 0`), 400)
      if (numbers.limit === undefined || numbers.limit < 1 || numbers.limit > maxEvents)
        return context.json(problem('bad-request', `'limit' must be from 1 to ${maxEvents}`), 400)
      return context.json({ events: history.findEvents({ ...numbers, limit: numbers.limit, policy, type }), lastId: history.events.lastId })
    })
}

const badRange = problem('bad-request', `'range' must be one of ${historyRanges.join(', ')}`)

/** @returns undefined for a text that is no range. */
function readRange(text = '15m'): HistoryRange | undefined {
  return historyRanges.find((range) => range === text)
}

/** NaN when it is none. */
function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN
}
