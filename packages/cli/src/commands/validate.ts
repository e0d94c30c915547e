import { readConfiguration } from '../configuration.ts'
import type { Output } from '../output.ts'
import { styled } from '../output.ts'

/** `holdfast validate [file]`: all errors at once, each with its place. */
export function validate(path: string, output: Output): void {
  const { config, files } = readConfiguration(path, output)
  const { stdout, env } = output
  const upstreams = Object.keys(config.upstreams)
  const read = files.length === 1 ? path : `${path} and ${files.length - 1} included`
  stdout.write(
    `${styled(stdout, env, 'green', 'valid')} ${read}: ${upstreams.length} ${upstreams.length === 1 ? 'upstream' : 'upstreams'} (${upstreams.join(', ')})\n`,
  )
}
