import { configChanges, settingViews, type ConfigChange, type LoadedConfig } from '@holdfast/server'
import { readConfiguration } from '../configuration.ts'
import { CommandFailure, exitCodes } from '../exit-codes.ts'
import { printable, styled, type Output } from '../output.ts'
import { askServer, type ServerPlace } from './running-server.ts'

export interface ConfigDiffArguments extends ServerPlace {
  readonly json: boolean
}

/**
 * `holdfast config diff <before> <after>`, or `config diff <file>` against the running server: the settings that differ. Answers 0
 * when there are none, 1 when there are some; what goes wrong is 2, as with `diff`.
 */
export async function configDiff(first: string, second: string | undefined, args: ConfigDiffArguments, output: Output): Promise<number> {
  const loaded = readConfiguration(first, output)
  const changes =
    second === undefined
      ? changesFrom(await settingsOfServer(args, output), loaded)
      : configChanges(loaded.config, readConfiguration(second, output).config)
  const { stdout, env } = output
  if (args.json) stdout.write(`${JSON.stringify(changes, null, 2)}\n`)
  else for (const change of changes) stdout.write(`${line(change, (style, text) => styled(stdout, env, style, text))}\n`)
  return changes.length === 0 ? exitCodes.ok : exitCodes.failed
}

type Paint = (style: 'red' | 'green', text: string) => string

function line({ path, before, after }: ConfigChange, paint: Paint): string {
  const from = before === null ? '' : ` ${paint('red', printable(before))}`
  const to = after === null ? paint('red', 'is left out') : paint('green', printable(after))
  return `${printable(path)}:${from} → ${to}`
}

interface ShownSetting {
  readonly path: string
  readonly value: string
}

async function settingsOfServer(place: ServerPlace, output: Output): Promise<readonly ShownSetting[]> {
  try {
    const answer = await askServer(place, { method: 'GET', path: '/api/v1/config/settings' }, output)
    return answer['settings'] as readonly ShownSetting[]
  } catch (error) {
    // 1 says that there is a difference
    throw error instanceof CommandFailure ? new CommandFailure(error.message, exitCodes.usage) : error
  }
}

/** What a server shows of its secrets is no more than that there are some: they count as the same. */
function changesFrom(running: readonly ShownSetting[], loaded: LoadedConfig): readonly ConfigChange[] {
  const before = new Map(running.map(({ path, value }) => [path, value]))
  const after = new Map(settingViews(loaded).map(({ path, value }) => [path, value]))
  const paths = [...[...before.keys()].filter((path) => !after.has(path)), ...after.keys()]
  return paths.flatMap((path) => {
    const change = { path, before: before.get(path) ?? null, after: after.get(path) ?? null }
    return change.before === change.after ? [] : [change]
  })
}
