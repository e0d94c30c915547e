import { shownText } from './path-text.ts'
import type { SubstitutedText } from './source-tree.ts'

/** Where the values of `${…}` come from. */
export interface SubstitutionSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The content of the file of `${file:…}`, or why there is none. */
  readonly readSecret: (path: string) => { readonly text: string } | { readonly fault: string }
}

export interface Substitution {
  readonly result: SubstitutedText
  /** What could not be replaced, one sentence each; the result is of no use unless this is empty. */
  readonly faults: readonly string[]
}

const deepestNesting = 8

/**
 * Replaces `${VAR}`, `${VAR:-default}` and `${file:/path}` in a text; `$${` stays as `${`. A default may hold further `${…}`; values
 * of variables and files are taken as they are. Undefined when there is nothing to replace.
 */
export function substitute(text: string, sources: SubstitutionSources): Substitution | undefined {
  if (!text.includes('${')) return undefined
  const run = new SubstitutionRun(sources)
  return { result: { text: run.expand(text, 0), variables: [...run.variables], secretFiles: [...run.secretFiles] }, faults: run.faults }
}

class SubstitutionRun {
  readonly variables = new Set<string>()
  readonly secretFiles = new Set<string>()
  readonly faults: string[] = []
  private readonly sources: SubstitutionSources

  constructor(sources: SubstitutionSources) {
    this.sources = sources
  }

  expand(text: string, depth: number): string {
    let result = ''
    let from = 0
    for (;;) {
      const start = text.indexOf('${', from)
      if (start < 0) return result + text.slice(from)
      if (text[start - 1] === '$' && start > from) {
        result += `${text.slice(from, start - 1)}\${`
        from = start + 2
        continue
      }
      const end = closingBrace(text, start + 2)
      if (end < 0) return this.fail("'${' is never closed; write '$${' for the characters themselves")
      result += text.slice(from, start) + this.replace(text.slice(start + 2, end), depth)
      from = end + 1
    }
  }

  private replace(expression: string, depth: number): string {
    if (depth >= deepestNesting) return this.fail(`'\${…}' is nested more than ${deepestNesting} deep`)
    if (expression.startsWith('file:')) return this.fileContent(expression.slice('file:'.length))
    const match = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(expression)
    if (match === null)
      return this.fail("'${…}' must be ${NAME}, ${NAME:-default} or ${file:/path}; write '$${' for the characters themselves")
    const [, name = '', otherwise] = match
    const value = Object.hasOwn(this.sources.env, name) ? this.sources.env[name] : undefined
    if (value !== undefined && value !== '') {
      this.variables.add(name)
      return value
    }
    if (otherwise !== undefined) return this.expand(otherwise, depth + 1)
    const state = value === undefined ? 'is not set' : 'is empty'
    return this.fail(`environment variable ${name} ${state}: set it, or give a default with \${${name}:-…}`)
  }

  private fileContent(path: string): string {
    if (path === '') return this.fail('${file:…} must name a file')
    const read = this.sources.readSecret(path)
    if ('fault' in read) return this.fail(`file ${shownText(path)} ${read.fault}`)
    this.secretFiles.add(path)
    return read.text
  }

  private fail(fault: string): string {
    this.faults.push(fault)
    return ''
  }
}

/** Index of the `}` that ends the expression beginning at `from`, or -1. */
function closingBrace(text: string, from: number): number {
  let open = 1
  for (let index = from; index < text.length; index++) {
    if (text[index] === '}' && --open === 0) return index
    if (text.startsWith('${', index)) {
      open++
      index++
    }
  }
  return -1
}

/** The value YAML would see in a text: a number, true or false, nothing, or the text itself. */
export function retyped(text: string): string | number | boolean | null {
  if (text === '' || text === '~' || text === 'null') return null
  if (text === 'true' || text === 'false') return text === 'true'
  return /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text
}
