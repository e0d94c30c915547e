import { Lexer } from 'yaml'

/** Enough for some 15,000 lines; a file at the limit parses in about half a second. */
const maxWeight = 150_000

/** Tokens that make the parser slow, since each is likely to be an error: tags, directives, closing brackets. */
const heavy = /^[!%\]}]/

/**
 * Where a text stops being worth parsing, or undefined when all of it is. A small file can hold a million tokens, and a million
 * tokens or errors would occupy the parser for many seconds.
 */
export function tooManyTokens(text: string): number | undefined {
  let weight = 0
  let offset = 0
  for (const token of new Lexer().lex(text)) {
    weight += heavy.test(token) ? 5 : 1
    if (weight > maxWeight) return offset
    if (!controlToken.test(token)) offset += token.length
  }
  return undefined
}

/** The lexer's own marks (document, flow end, scalar, byte order mark), which stand for no text. */
const controlToken = /^[\u0002\u0018\u001f\ufeff]$/

/** Characters that YAML forbids; they come from binary files and from mistakes. */
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

export function forbiddenCharacter(text: string): { readonly offset: number; readonly name: string } | undefined {
  const offset = text.search(forbidden)
  if (offset < 0) return undefined
  const code = text.charCodeAt(offset)
  return { offset, name: code === 0 ? 'a NUL byte' : `control character U+${code.toString(16).toUpperCase().padStart(4, '0')}` }
}
