import { styleText } from 'node:util'

/** Where a command writes. */
export interface Output {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
}

type Style = Parameters<typeof styleText>[0]

/** Whether a stream shows colours: a terminal, and nobody asked for none (NO_COLOR, https://no-color.org). */
export function hasColors(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined && forced !== '' && forced !== '0') return true
  return stream.isTTY && env['TERM'] !== 'dumb'
}

/** Text in a style, where styles are shown. */
export function styled(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, style: Style, text: string): string {
  return hasColors(stream, env) ? styleText(style, text) : text
}

/** Text from elsewhere on one line, without what could move the cursor, change colours or turn the direction of reading. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
}
