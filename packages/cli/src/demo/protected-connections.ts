import OpenAI, { APIError } from 'openai'
import { pipeline, retry, retryBudget, timeout } from 'holdfast'
import type { AnyPolicy } from 'holdfast/system'
import { IncompleteAnswer, runTask, type AgentConnections, type TaskResult } from './agent.ts'
import { protectedTools, type ProtectionFigures } from './protected-tools.ts'
import type { Task } from './task.ts'

export interface ProtectedAgentOptions {
  /** The model's base URL: the gateway's, or the service's own. */
  readonly llmBaseUrl: string
  readonly search: string
  readonly orders: string
  /** When a task's user stops waiting, in ms. */
  readonly deadlineMs: number
}

export interface ProtectedAgent {
  /** Aborting `signal` ends the task's work at once. */
  run(task: Task, signal?: AbortSignal): Promise<TaskResult>
  readonly policies: readonly AnyPolicy[]
  readonly figures: () => ProtectionFigures
}

/**
 * The agent through Holdfast. The gateway is the only one who retries a request to the model, so the SDK's own retries are off;
 * an answer that broke in the middle is made again here, since nobody has acted on half an answer. Who is turned away without
 * anything having been sent comes back when the gateway says, as long as the user waits. When the user has left, all work for the
 * task stops.
 */
export function protectedAgent(options: ProtectedAgentOptions): ProtectedAgent {
  const { llmBaseUrl, deadlineMs } = options
  const tools = protectedTools(options)
  const userWaits = timeout({ name: 'task', after: deadlineMs })
  const whole = retry({
    name: 'llm-answer',
    maxAttempts: 2,
    initialDelay: '50ms',
    maxDelay: '500ms',
    retryOn: brokeInTheMiddle,
    budget: retryBudget({ name: 'llm-answers' }),
  })
  const patience = retry({
    name: 'llm-patience',
    maxAttempts: Infinity, // until the user has left
    initialDelay: '500ms',
    maxDelay: '3s',
    retryOn: turnedAway,
  })
  const model = pipeline({ name: 'llm-agent' }, patience, whole)
  const connections: AgentConnections = {
    llm: new OpenAI({ baseURL: llmBaseUrl, apiKey: 'demo', maxRetries: 0, timeout: deadlineMs }),
    search: tools.search,
    order: tools.order,
    complete: (make, signal) => model.execute((call) => make(call.signal), { signal }),
  }
  return {
    run: (task, signal) => userWaits.execute((call) => runTask(task, connections, call.signal), { signal }),
    policies: [userWaits, patience, whole, ...tools.policies],
    figures: tools.figures,
  }
}

/** A body that ended early; a request that failed as a whole is the gateway's to judge. */
function brokeInTheMiddle(error: unknown): boolean {
  return error instanceof IncompleteAnswer || (error instanceof TypeError && error.message === 'terminated')
}

/** The gateway refused at once, and said so: coming back costs the model nothing. */
function turnedAway(error: unknown): boolean {
  return error instanceof APIError && error.type === 'holdfast_error' && (error.status === 503 || error.status === 429)
}
