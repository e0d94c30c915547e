import { version } from '@holdfast/server'
import { Argument, Command } from 'commander'
import type { AuditArguments } from './commands/audit.ts'
import type { ConfigDiffArguments } from './commands/config-diff.ts'
import type { ConfigPrintArguments } from './commands/config-print.ts'
import type { ForceArguments } from './commands/force.ts'
import type { ReloadArguments } from './commands/reload.ts'
import type { SilenceArguments } from './commands/silence.ts'
import { defaultConfigPath } from './configuration.ts'
import { exitCodes } from './exit-codes.ts'
import type { ProbeArguments } from './commands/probe.ts'
import type { Output } from './output.ts'

const epilogue = `
Exit codes: 0 done, 1 could not be done (port in use, folder not writable …), 2 wrong use or wrong configuration.
Colours are left out when NO_COLOR is set or the output is no terminal.`

/** The commands, as data for the parser; what they do is loaded when it is asked for. */
export function program(output: Output): Command {
  const holdfast = new Command('holdfast')
    .description('Keeps calls to unreliable services alive: gateway, control plane and tools.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(holdfast --help lists the commands)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => output.stdout.write(text), writeErr: (text) => output.stderr.write(text) })
    .addHelpText('after', epilogue)

  holdfast
    .command('serve')
    .description('run the gateway and the control listener of a configuration')
    .argument('[file]', 'configuration file', defaultConfigPath)
    .action(async (file: string) => {
      const { serve } = await import('./commands/serve.ts')
      await serve(file, output)
    })

  holdfast
    .command('validate')
    .description('check a configuration: every error at once, each with its place')
    .argument('[file]', 'configuration file', defaultConfigPath)
    .action(async (file: string) => {
      const { validate } = await import('./commands/validate.ts')
      validate(file, output)
    })

  holdfast
    .command('demo')
    .description('run the demonstration: two agents do the same work under the same faults, one through Holdfast')
    .option('--fault <service=fault>', 'tell the demo that runs already to inject a fault, e.g. llm=slow:5, search=stall, llm=script')
    .option('--for <duration>', 'with --fault: how long, e.g. 20s (until further notice when left out)')
    .option('--seed <number>', 'decides tasks, arrivals and faults', '1')
    .option('--rate <number>', 'tasks per second in each lane', '5')
    .option('--loop', 'begin again when the fault script is over', false)
    .option('--gateway-port <port>', 'port of the gateway, 0 for any', '8080')
    .option('--control-port <port>', 'port of the page and the control API, 0 for any', '8000')
    .addHelpText('after', '\nCtrl-C ends it and everything it started.')
    .action(async (options: DemoArguments) => {
      const { demo } = await import('./commands/demo.ts')
      process.exitCode = await demo(options, output)
    })

  holdfast
    .command('probe')
    .description('ask a running server for its health: exit code 0 or 1, for images and units without curl')
    .option('--url <url>', 'the control listener', 'http://127.0.0.1:8000')
    .option('--ready', 'whether it serves, and its critical dependencies are well (the default)')
    .option('--alive', 'whether the process lives')
    .option('--timeout <duration>', 'how long to wait for the answer', '3s')
    .option('--wait <duration>', 'ask again for so long while it is not well (asks once when left out)')
    .option('--insecure', 'take whatever certificate it shows: for a listener on this machine')
    .action(async (options: ProbeArguments) => {
      const { probe } = await import('./commands/probe.ts')
      await probe(options, output)
    })

  const dataDir = ['--data-dir <folder>', "folder of the server's state (server.dataDir)", '.holdfast'] as const
  const url = ['--url <url>', 'control listener of the server, such as http://127.0.0.1:8000; otherwise found by its folder'] as const
  const token = "\nThe token is taken from HOLDFAST_TOKEN; it needs the role 'operate'. What is changed goes on record (holdfast audit)."

  holdfast
    .command('reload')
    .description('tell the running server to load its configuration anew, and see what came of it')
    .option('--reason <text>', 'why; goes on record', 'asked for on the command line')
    .option(...dataDir)
    .option(...url)
    .addHelpText('after', `${token}\nExit code 2 when the configuration was refused; the earlier one goes on.`)
    .action(async (options: ReloadArguments) => {
      const { reload } = await import('./commands/reload.ts')
      process.exitCode = await reload(options, output)
    })

  const config = holdfast.command('config').description('look at configurations: print what is in force, compare')

  config
    .command('print')
    .description('print all settings in force, defaults included, as a configuration file; secrets are left out')
    .argument('[file]', 'configuration file', defaultConfigPath)
    .option('--json', 'as JSON', false)
    .option('--provenance', 'with where each setting comes from', false)
    .action(async (file: string, options: ConfigPrintArguments) => {
      const { configPrint } = await import('./commands/config-print.ts')
      process.exitCode = configPrint(file, options, output)
    })

  config
    .command('diff')
    .description('the settings that differ between two files, or between the running server and a file')
    .argument('<file>', 'the earlier one of two; alone: what the running server would get')
    .argument('[after]', 'the later one')
    .option('--json', 'as JSON', false)
    .option(...dataDir)
    .option(...url)
    .addHelpText(
      'after',
      '\nThe token for the running server is taken from HOLDFAST_TOKEN.\nExit codes: 0 the same, 1 different, 2 could not be compared.',
    )
    .action(async (file: string, after: string | undefined, options: ConfigDiffArguments) => {
      const { configDiff } = await import('./commands/config-diff.ts')
      process.exitCode = await configDiff(file, after, options, output)
    })

  holdfast
    .command('force')
    .description('set the state of a circuit breaker of the running server by hand')
    .argument('<policy>', 'such as circuit-breaker/llm')
    .addArgument(new Argument('<action>').choices(['force-open', 'isolate', 'disable', 'close', 'reset']))
    .requiredOption('--reason <text>', 'why; goes on record')
    .option('--for <duration>', 'how long, e.g. 15m (until it is closed when left out)')
    .option(...dataDir)
    .option(...url)
    .addHelpText('after', token)
    .action(async (policy: string, action: string, options: ForceArguments) => {
      const { force } = await import('./commands/force.ts')
      process.exitCode = await force(policy, action, options, output)
    })

  holdfast
    .command('silence')
    .description('leave a dependency of the running server out of its health for a while')
    .argument('<dependency>', 'name of an upstream')
    .option('--for <duration>', 'how long, e.g. 1h')
    .option('--reason <text>', 'why; goes on record')
    .option('--end', 'end the silence now', false)
    .option(...dataDir)
    .option(...url)
    .addHelpText('after', token)
    .action(async (dependency: string, options: SilenceArguments) => {
      const { silence } = await import('./commands/silence.ts')
      process.exitCode = await silence(dependency, options, output)
    })

  holdfast
    .command('audit')
    .description('print who changed what, or check that nobody changed the record of it')
    .option('--verify', 'check every record; exit code 1 and its number when one was altered or taken out', false)
    .option('--limit <count>', 'how many of the latest to print', '50')
    .option('--json', 'one JSON object per line', false)
    .option(...dataDir)
    .action(async (options: AuditArguments) => {
      const { audit } = await import('./commands/audit.ts')
      process.exitCode = await audit(options, output)
    })

  for (const command of [...holdfast.commands, ...config.commands]) command.copyInheritedSettings(holdfast)
  return holdfast
}

/** What the parser hands to the demo. */
export interface DemoArguments {
  readonly fault?: string
  readonly for?: string
  readonly seed: string
  readonly rate: string
  readonly loop: boolean
  readonly gatewayPort: string
  readonly controlPort: string
}

/** The exit code of a parser's complaint: help and version are none. */
export function parserExitCode(code: string): number {
  return code === 'commander.helpDisplayed' || code === 'commander.version' || code === 'commander.help' ? exitCodes.ok : exitCodes.usage
}
