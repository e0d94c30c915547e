import { version } from '@holdfast/server'
import { Command } from 'commander'
import { defaultConfigPath } from './configuration.ts'
import { exitCodes } from './exit-codes.ts'
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

  for (const command of holdfast.commands) command.copyInheritedSettings(holdfast)
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
