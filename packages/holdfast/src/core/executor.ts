import { CallState, type Invocation, type ProtectedFunction } from './call.ts'
import type { Clock } from './clock.ts'
import { CallerDeadline } from './caller-deadline.ts'
import { executeInFrame } from './direct-run.ts'
import { durationMs } from './duration.ts'
import { HoldfastError } from './errors.ts'
import { GateFrame } from './frame.ts'
import type { ChainLayer, Flow, Gate, Part, RelaxedFlow, Sink } from './layer.ts'
import { leaf } from './leaf.ts'
import { choiceOption, invalidOption, show } from './options.ts'
import type { CallOptions } from './policy.ts'
import { priorities } from './priority-line.ts'
import { RelaxedLayer } from './relaxed-run.ts'
import type { TimeLimitRun } from './time-limit.ts'
import { OutcomeSink, PromiseSink, type Outcome } from './sinks.ts'

/** A flow with all that lies inside it. */
class FlowLayer implements ChainLayer {
  readonly flow: Flow
  readonly next: ChainLayer
  constructor(flow: Flow, next: ChainLayer) {
    this.flow = flow
    this.next = next
  }
  start(call: CallState, out: Sink): void {
    void this.flow.start(this.next, call, out)
  }
}

/** Parts compiled to a chain of layers, and the ways to run a function through it. */
export class Executor {
  readonly chain: ChainLayer
  /** Set when the chain is one frame of gates around the function. */
  private readonly frame: GateFrame | undefined
  /** The outermost layer, if it is a flow that may be asked late. */
  private readonly relaxed: RelaxedLayer | undefined
  /** Of all calls whose caller says nothing about them. */
  private readonly invocation: Invocation

  constructor(parts: readonly Part[], clock: Clock) {
    this.invocation = plainInvocation(clock)
    this.chain = compile(parts)
    this.frame = this.chain instanceof GateFrame && this.chain.next === leaf ? this.chain : undefined
    this.relaxed = this.chain instanceof RelaxedLayer ? this.chain : undefined
  }

  execute(run: ProtectedFunction, options: CallOptions | undefined): Promise<unknown> {
    if (options === undefined && typeof run === 'function') {
      return this.executePlain(new CallState(run, this.invocation, undefined, 1, Infinity, false))
    }
    let call: CallState
    try {
      this.checkFunction(run)
      call = newCall(run, options, this.invocation)
    } catch (error) {
      return Promise.reject(error)
    }
    if (options === undefined || (options.signal === undefined && options.deadline === undefined)) return this.executePlain(call)
    return new Promise((resolve, reject) => startCall(this.chain, call, options, new PromiseSink(resolve, reject)))
  }

  /** Runs a call that nothing outside the policies can end. */
  private executePlain(call: CallState): Promise<unknown> {
    if (this.frame !== undefined) return executeInFrame(this.frame, call)
    if (this.relaxed !== undefined) return this.relaxed.execute(call)
    return new Promise((resolve, reject) => this.chain.start(call, new PromiseSink(resolve, reject)))
  }

  tryExecute(run: ProtectedFunction, options: CallOptions | undefined): Promise<Outcome<unknown>> {
    return new Promise((resolve) => {
      const out = new OutcomeSink(resolve)
      try {
        this.checkFunction(run)
        startCall(this.chain, newCall(run, options, this.invocation), options, out)
      } catch (error) {
        out.settle(false, error)
      }
    })
  }

  checkFunction(run: unknown): void {
    if (typeof run === 'function') return
    const hint = run instanceof Promise ? ': hand in the function that starts the work, not its promise' : ''
    throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `the protected function must be a function, got ${show(run)}${hint}` })
  }
}

/** Starts the outermost call, within its caller's deadline if there is one; answers the running limit. */
export function startCall(chain: ChainLayer, call: CallState, options: CallOptions | undefined, out: Sink): TimeLimitRun | undefined {
  const withinMs =
    options?.deadline === undefined ? undefined : durationMs('execute', 'deadline', options.deadline, { allowInfinity: true })
  if (call.cancelled !== undefined) out.settle(false, call.cancelled)
  else if (withinMs !== undefined) return new CallerDeadline(call.invocation.clock).start(chain, call, withinMs, out)
  else chain.start(call, out)
  return undefined
}

const plainInvocations = new WeakMap<Clock, Invocation>()

/** What is true of calls whose caller says nothing about them. */
export function plainInvocation(clock: Clock): Invocation {
  let plain = plainInvocations.get(clock)
  if (plain === undefined) plainInvocations.set(clock, (plain = newInvocation(clock)))
  return plain
}

function newInvocation(clock: Clock): Invocation {
  return {
    clock,
    key: undefined,
    idempotencyKey: undefined,
    priority: 'normal',
    cost: undefined,
    labels: undefined,
    context: undefined,
    callerSignal: undefined,
  }
}

/** The outermost call, as the caller's options describe it. */
export function newCall(run: ProtectedFunction, options: CallOptions | undefined, plain: Invocation): CallState {
  if (options === undefined) return new CallState(run, plain, undefined, 1, Infinity, false)
  if (typeof options !== 'object' || options === null) {
    throw new HoldfastError({ code: 'ERR_INVALID_ARGUMENT', message: `the options of a call must be an object, got ${show(options)}` })
  }
  const { signal, key, idempotencyKey, priority, cost, labels, context } = options
  if (signal !== undefined && !isAbortSignal(signal)) throw invalidOption('execute', 'signal', signal, 'an AbortSignal')
  if (key !== undefined && typeof key !== 'string') throw invalidOption('execute', 'key', key, 'a text')
  if (idempotencyKey !== undefined && (typeof idempotencyKey !== 'string' || idempotencyKey === ''))
    throw invalidOption('execute', 'idempotencyKey', idempotencyKey, 'a text of at least one character')
  if (priority !== undefined) choiceOption('execute', 'priority', priority, priorities)
  if (cost !== undefined) checkCost(cost)
  if (labels !== undefined) checkLabels(labels)
  const invocation = {
    clock: plain.clock,
    key,
    idempotencyKey,
    priority: priority ?? 'normal',
    cost,
    labels,
    context,
    callerSignal: signal,
  }
  return new CallState(run, invocation, undefined, 1, Infinity, false)
}

function checkLabels(labels: unknown): void {
  if (typeof labels === 'object' && labels !== null && Object.values(labels).every((text) => typeof text === 'string')) return
  throw invalidOption('execute', 'labels', labels, 'texts by name')
}

function checkCost(cost: unknown): void {
  const amounts: unknown[] = typeof cost === 'object' && cost !== null ? Object.values(cost) : [cost]
  if (amounts.every((units) => typeof units === 'number' && units >= 0 && units < Infinity)) return
  throw invalidOption('execute', 'cost', cost, 'a number from 0 up, or such numbers by the names of limits')
}

function isAbortSignal(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
}

function isRelaxed(flow: Flow): flow is RelaxedFlow {
  return 'startRelaxed' in flow
}

/**
 * Parts as layers around `inner`. The depths of their frames lie between that of the outermost frame inside and the next whole number,
 * so that they can stand within a chain that was compiled before.
 */
export function compileAround(parts: readonly Part[], inner: ChainLayer): ChainLayer {
  return compile(parts, inner, depthOf(inner), 1 / (parts.length + 1))
}

function depthOf(layer: ChainLayer): number {
  if (layer instanceof GateFrame) return layer.depth
  return layer instanceof FlowLayer || layer instanceof RelaxedLayer ? depthOf(layer.next) : 0
}

function compile(parts: readonly Part[], inner: ChainLayer = leaf, from = 0, step = 1): ChainLayer {
  let chain = inner
  let gates: Gate[] = []
  let depth = from
  for (const part of parts.toReversed()) {
    if (part.kind === 'gate') {
      gates = [part, ...gates] // of exactly the length it needs: there may be very many policies
      continue
    }
    if (gates.length > 0) chain = new GateFrame(gates, chain, (depth += step))
    gates = []
    chain = isRelaxed(part) ? new RelaxedLayer(part, chain) : new FlowLayer(part, chain)
  }
  return gates.length > 0 ? new GateFrame(gates, chain, (depth += step)) : chain
}
