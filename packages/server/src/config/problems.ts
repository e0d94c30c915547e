import { pathText, shownText, type SettingPath } from './path-text.ts'

/** A place in a configuration file. Lines and columns count from 1. */
export interface SourcePosition {
  /** Relative to the working directory when it lies inside, else absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Something wrong (or, as a warning, doubtful) at one place of the configuration. */
export interface ConfigProblem extends SourcePosition {
  /** The setting concerned, as written in the file; empty when the problem concerns the file itself. */
  readonly path: string
  /** What is wrong and what would be right. Never holds a secret or the value of a variable. */
  readonly message: string
  /** What was probably meant, ready to be written instead. */
  readonly suggestion?: string
}

/** `file:line:column path: message (did you mean '…'?)`, on one line. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, path, message, suggestion } = problem
  const subject = path === '' ? '' : `${path}: `
  const hint = suggestion === undefined ? '' : ` (did you mean '${shownText(suggestion)}'?)`
  return `${shownText(file)}:${line}:${column} ${subject}${message}${hint}`
}

/** Collects problems; beyond some 200 it only counts them. */
export interface ProblemList {
  readonly count: number
  /** `suggestion` may be a function, so that far-fetched lists cost nothing. */
  add(at: SourcePosition, path: SettingPath, message: string, suggestion?: string | (() => string | undefined)): void
  /** By file (in the order given), line and column. */
  sorted(files: readonly string[]): readonly ConfigProblem[]
}

/** More than a person would read; the rest is reported as a number. */
const maxProblems = 200

export function problemList(): ProblemList {
  const problems: ConfigProblem[] = []
  const seen = new Set<string>() // what an alias (*name) brings to several places is wrong once
  let count = 0
  let firstLeftOut: SourcePosition | undefined
  return {
    get count() {
      return count
    },
    add(at, path, message, suggestion) {
      const identity = `${at.file}\0${at.line}\0${at.column}\0${message}`
      if (seen.has(identity)) return
      if (seen.size < maxProblems) seen.add(identity)
      count++
      if (problems.length >= maxProblems) {
        firstLeftOut ??= at
        return
      }
      const near = typeof suggestion === 'function' ? suggestion() : suggestion
      const { file, line, column } = at
      problems.push({ file, line, column, path: pathText(path), message, ...(near === undefined ? {} : { suggestion: near }) })
    },
    sorted(files) {
      const order = new Map(files.map((file, index) => [file, index]))
      const rank = (file: string): number => order.get(file) ?? files.length
      const sorted = problems.toSorted((a, b) => rank(a.file) - rank(b.file) || a.line - b.line || a.column - b.column)
      if (firstLeftOut !== undefined)
        sorted.push({ ...firstLeftOut, path: '', message: `${count - problems.length} more problems are not shown` })
      return sorted
    },
  }
}
