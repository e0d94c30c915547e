import { mkdtemp, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonBody, problem, startServer, type ControlEnvironment, type RunningServer, type UpstreamFigures } from '@holdfast/server'
import { Hono } from 'hono'
import { parseDuration } from 'holdfast'
import { readConfiguration } from '../configuration.ts'
import type { Demo, ModelGateway } from '../demo/orchestrator.ts'
import { readFaultArgument, readFaultRequest, type FaultRequest } from '../demo/fault-request.ts'
import { runDemo } from '../demo/run-demo.ts'
import type { DemoSnapshot } from '../demo/snapshot.ts'
import { CommandFailure, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import type { DemoArguments } from '../program.ts'
import { askRunningDemo, forgetRunningDemo, rememberRunningDemo } from './running-demo.ts'

const configurationPath = fileURLToPath(new URL('../../assets/demo/reliability.yml', import.meta.url))

/** `holdfast demo`: runs the demonstration, or talks to the one that runs. Answers the exit code. */
export async function demo(args: DemoArguments, output: Output): Promise<number> {
  if (args.fault !== undefined) return await injectFault(args, output)
  if (args.for !== undefined)
    throw new CommandFailure("--for belongs to --fault: 'holdfast demo --fault llm=slow:5 --for 20s'", exitCodes.usage)
  const seed = wholeNumber('--seed', args.seed, 0, 2 ** 32 - 1)
  const arrivalsPerSecond = wholeNumber('--rate', args.rate, 1, 100)
  const stage = new Stage(args, output)
  try {
    return await runDemo({
      seed,
      arrivalsPerSecond,
      loops: args.loop,
      stdout: output.stdout,
      env: output.env,
      notes: stage.notes,
      gateway: (services) => stage.open(services),
      attach: (running) => stage.attach(running),
    })
  } finally {
    await stage.close()
  }
}

/** The server under the demo: the gateway of the protected lane, and the page that shows both. */
class Stage {
  readonly notes: string[] = []
  private readonly args: DemoArguments
  private readonly output: Output
  private readonly token = randomBytes(24).toString('base64url')
  private server: RunningServer | undefined = undefined
  private running: Demo | undefined = undefined
  private folder: string | undefined = undefined

  constructor(args: DemoArguments, output: Output) {
    this.args = args
    this.output = output
  }

  async open(services: { readonly llm: string }): Promise<ModelGateway> {
    this.folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-server-'))
    const env = {
      ...this.output.env,
      HOLDFAST_DEMO_LLM_URL: services.llm,
      HOLDFAST_GATEWAY_PORT: String(wholeNumber('--gateway-port', this.args.gatewayPort, 0, 65_535)),
      HOLDFAST_CONTROL_PORT: String(wholeNumber('--control-port', this.args.controlPort, 0, 65_535)),
      HOLDFAST_TOKEN: this.token,
      HOLDFAST_DATA_DIR: this.folder,
    }
    const loaded = readConfiguration(configurationPath, { ...this.output, env })
    const server = await startServer(loaded.config, {
      origin: { path: configurationPath, env, loaded },
      log: { write: () => undefined }, // the terminal shows the lanes
      routes: this.faultRoutes(),
      sections: () => (this.running === undefined ? {} : { demo: this.running.snapshot() }),
    })
    this.server = server
    await rememberRunningDemo({ pid: process.pid, controlUrl: server.controlUrl, token: this.token })
    this.notes.push(
      `page     ${server.controlUrl}/#token=${this.token}`,
      `gateway  ${server.gatewayUrl}/llm/v1`,
      "faults   holdfast demo --fault llm=outage --for 20s, or the page's buttons",
    )
    return { llmBaseUrl: `${server.gatewayUrl}/llm/v1`, figures: () => gatewayFigures(server.upstreams()) }
  }

  attach(running: Demo): () => void {
    this.running = running
    for (const policy of running.policies) this.server?.system.register(policy)
    const endMarkers = running.onSecond(faultMarkers((text) => this.server?.marker('fault', text)))
    return () => {
      endMarkers()
      this.running = undefined
    }
  }

  async close(): Promise<void> {
    await this.server?.close()
    await forgetRunningDemo(process.pid)
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true })
  }

  private faultRoutes(): Hono<ControlEnvironment> {
    return new Hono<ControlEnvironment>().post('/demo/faults', async (context) => {
      let request: FaultRequest
      try {
        request = readFaultRequest(jsonBody(context))
      } catch (error) {
        return context.json(problem('bad-request', error instanceof Error ? error.message : 'bad request'), 400)
      }
      const { running } = this
      if (running === undefined) return context.json(problem('conflict', 'the demo is not running yet'), 409)
      const before = running.snapshot().faults.find(({ service }) => service === request.service) ?? null
      context.var.record({ action: 'demo.fault', subject: request.service, before, after: request, reason: reasonOf(jsonBody(context)) })
      if (request.fault === 'script') await running.releaseFault(request.service)
      else await running.setFault(request.service, request.fault, request.forMs)
      return context.json({ faults: running.snapshot().faults })
    })
  }
}

/** Tells of every fault that came into force, whoever asked for it, once. */
function faultMarkers(tell: (text: string) => void): (snapshot: DemoSnapshot) => void {
  let toldUntil = -Infinity
  return ({ faultSegments }) => {
    const later = faultSegments.filter(({ from }) => from > toldUntil)
    for (const { service, text, from } of later) {
      tell(`${service}: ${text}`)
      toldUntil = Math.max(toldUntil, from)
    }
  }
}

/** Why, if somebody says so. */
function reasonOf(body: unknown): string | null {
  const { reason } = body as { readonly reason?: unknown }
  return typeof reason === 'string' && reason.length <= 500 ? reason : null
}

function gatewayFigures(upstreams: readonly UpstreamFigures[]): { readonly refused: number; readonly fallbacks: number } {
  let refused = 0
  let fallbacks = 0
  for (const { causes } of upstreams) {
    for (const [cause, count] of Object.entries(causes)) {
      if (cause === 'fallback') fallbacks += count
      else if (refusals.has(cause)) refused += count
    }
  }
  return { refused, fallbacks }
}

const refusals = new Set(['circuit-open', 'circuit-isolated', 'bulkhead-full', 'bulkhead-wait', 'rate-limited', 'quota-paused'])

async function injectFault(args: DemoArguments, output: Output): Promise<number> {
  const request = usage(() => readFaultArgument(args.fault ?? ''))
  const forMs = args.for === undefined ? undefined : parseDuration(args.for)
  if (args.for !== undefined && (forMs === undefined || forMs <= 0))
    throw new CommandFailure(`--for has to be a duration such as 20s, got '${args.for}'`, exitCodes.usage)
  const { service, fault } = request
  await askRunningDemo({ service, fault: (args.fault ?? '').slice(service.length + 1), ...(forMs === undefined ? {} : { forMs }) })
  output.stdout.write(
    `${service}: ${fault === 'script' ? 'back to the script' : (args.fault ?? '').slice(service.length + 1)}${args.for === undefined ? '' : ` for ${args.for}`}\n`,
  )
  return exitCodes.ok
}

function usage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error), exitCodes.usage)
  }
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new CommandFailure(`${option} has to be a whole number from ${min} to ${max}, got '${text}'`, exitCodes.usage)
}
