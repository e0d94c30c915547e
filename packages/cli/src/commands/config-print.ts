import { effectiveConfig, printConfig, settingViews } from '@holdfast/server'
import { readConfiguration } from '../configuration.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'

export interface ConfigPrintArguments {
  readonly json: boolean
  readonly provenance: boolean
}

/** `holdfast config print [file]`: the settings in force, defaults included, secrets left out. */
export function configPrint(path: string, { json, provenance }: ConfigPrintArguments, output: Output): number {
  const loaded = readConfiguration(path, output)
  output.stdout.write(
    json ? `${JSON.stringify(asJson(), null, 2)}\n` : printConfig(loaded.config, provenance ? loaded.provenance : undefined),
  )
  return exitCodes.ok

  function asJson(): unknown {
    return provenance
      ? settingViews(loaded).map(({ path: at, value, source, where }) => ({ path: at, value, source, where }))
      : effectiveConfig(loaded.config)
  }
}
