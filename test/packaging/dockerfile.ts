/** One instruction of a Dockerfile. */
export interface Instruction {
  /** In capitals, for example `COPY`. */
  readonly name: string
  /** Options such as `--from=build`, by name. */
  readonly options: ReadonlyMap<string, string>
  /** What follows the options, in one line. */
  readonly text: string
  readonly line: number
}

export interface Stage {
  readonly image: string
  /** Name after AS; undefined for a stage that nothing refers to. */
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

export interface Dockerfile {
  /** Default values of the arguments before the first stage. */
  readonly args: ReadonlyMap<string, string>
  readonly stages: readonly Stage[]
}

const known = new Set(
  'ARG FROM WORKDIR COPY RUN ENV VOLUME USER EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT CMD LABEL SHELL ADD ONBUILD MAINTAINER'.split(' '),
)

/**
 * Reads the part of the language that our Dockerfile uses: no heredocs, no parser directives, no ONBUILD.
 * @throws Error with the line of what it does not know.
 */
export function parseDockerfile(source: string): Dockerfile {
  const args = new Map<string, string>()
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = []
  for (const instruction of instructionsIn(source)) {
    const { name, text, line } = instruction
    if (name === 'FROM') {
      const [, image, , stage] = /^(\S+)( AS (\S+))?$/i.exec(text) ?? fail(line, `FROM ${text}`)
      stages.push({ image: image ?? '', name: stage, instructions: [] })
    } else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction)
    else if (name === 'ARG') args.set(text.split('=')[0] ?? '', text.split('=').slice(1).join('='))
    else fail(line, `${name} before FROM`)
  }
  return { args, stages }
}

/** A command in the form without a shell. */
export function execForm(text: string): readonly string[] | undefined {
  try {
    const command: unknown = JSON.parse(text)
    return Array.isArray(command) && command.every((part) => typeof part === 'string') ? command : undefined
  } catch {
    return undefined
  }
}

function* instructionsIn(source: string): Generator<Instruction> {
  let joined = ''
  let beganAt = 0
  for (const [index, raw] of source.split('\n').entries()) {
    if (/^\s*(#|$)/.test(raw)) continue
    if (joined === '') beganAt = index + 1
    joined += raw.trim()
    if (joined.endsWith('\\')) {
      joined = joined.slice(0, -1)
      continue
    }
    yield readInstruction(joined, beganAt)
    joined = ''
  }
  if (joined !== '') fail(beganAt, 'a line that continues into nothing')
}

function readInstruction(joined: string, line: number): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(joined) ?? []
  const name = word.toUpperCase()
  if (!known.has(name) || joined.includes('<<')) fail(line, joined)
  const options = new Map<string, string>()
  let text = rest
  for (let match = option(text); match !== null; match = option(text)) {
    options.set(match[1] ?? '', match[2] ?? '')
    text = text.slice(match[0].length)
  }
  return { name, options, text, line }
}

function option(text: string): RegExpExecArray | null {
  return /^--([a-z-]+)(?:=(\S+))?\s+/.exec(text)
}

function fail(line: number, what: string): never {
  throw new Error(`line ${line}: cannot read '${what}'`)
}
