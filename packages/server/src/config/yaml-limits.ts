import { Lexer } from 'yaml'

/** Enough for some 15,000 lines; a file at the limit parses in about half a second. */
const maxWeight = 150_000

/** Tokens that make the parser slow, since each is likely to be an error: tags, directives, closing brackets. */
const heavy = /^[!%\]}]/

/** The parser is recursive: thousands of levels would exhaust the stack, and take the process with it. */
const maxLevels = 200

/** What the lexer says besides the text itself: the start of a document or scalar, the end of brackets. */
const markOfScalar = '\u001f'
const marks: ReadonlySet<string> = new Set(['\u0002', '\u0018', markOfScalar, '\ufeff'])

export interface Excess {
  readonly offset: number
  readonly message: string
}

/**
 * What makes a text too much for the parser, found without parsing it: a small file can hold a million tokens, or be nested a hundred
 * thousand levels deep.
 */
export function findExcess(text: string): Excess | undefined {
  const levels = new Levels()
  let weight = 0
  let offset = 0
  for (const token of new Lexer().lex(text)) {
    weight += heavy.test(token) ? 10 : 1
    if (weight > maxWeight) return { offset, message: 'the file holds too many values up to here: split it, and include the parts' }
    levels.take(token)
    if (levels.count > maxLevels) return { offset, message: 'the values are nested too deeply' }
    if (!marks.has(token)) offset += token.length
  }
  return undefined
}

/** Counts how deep the tokens read so far are nested; rather one too many per level than one too few. */
class Levels {
  private brackets = 0
  /** Columns at which the blocks that are still open began, ascending. */
  private readonly blocks: number[] = []
  private column = 0
  private isScalar = false
  private isLineStart = true

  get count(): number {
    return this.brackets + this.blocks.length
  }

  take(token: string): void {
    if (marks.has(token)) {
      this.isScalar = token === markOfScalar
      return
    }
    if (this.isScalar) this.takeScalar()
    else this.takeSyntax(token)
    this.isScalar = false
    const lineBreak = token.lastIndexOf('\n')
    this.column = lineBreak < 0 ? this.column + token.length : token.length - lineBreak - 1
    if (lineBreak >= 0) this.isLineStart = true
  }

  /** The first text of a line may be a key, and so begin a block. */
  private takeScalar(): void {
    if (this.brackets === 0 && this.isLineStart) this.openBlock()
    this.isLineStart = false
  }

  private takeSyntax(token: string): void {
    if (token === '[' || token === '{') this.brackets++
    else if (token === ']' || token === '}') this.brackets = Math.max(0, this.brackets - 1)
    else if (this.brackets === 0 && (token === '-' || token === '?' || token === ':')) this.openBlock()
  }

  private openBlock(): void {
    while ((this.blocks.at(-1) ?? -1) >= this.column) this.blocks.pop()
    this.blocks.push(this.column)
  }
}

/** Finds a character that YAML forbids: such come from binary files and from mistakes. */
export function findForbiddenCharacter(text: string): Excess | undefined {
  for (let offset = 0; offset < text.length; offset++) {
    const code = text.charCodeAt(offset)
    if (!isForbidden(code)) continue
    const name = code === 0 ? 'a NUL byte' : `control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`
    return { offset, message: `${name} is not allowed in a configuration file` }
  }
  return undefined
}

/** Control characters, but for tab, line feed and carriage return. */
function isForbidden(code: number): boolean {
  return (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) || code === 0x7f
}
