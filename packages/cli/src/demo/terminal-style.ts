const escape = '\u001b'
/** Keeps what it splits at. */
const escapeSequence = new RegExp(`(${escape}\\[\\d+m)`)

/** Text attributes that a terminal may or may not show. */
export interface TerminalStyle {
  bold(text: string): string
  dim(text: string): string
  inverse(text: string): string
  ok(text: string): string
  warning(text: string): string
  bad(text: string): string
}

export function terminalStyle(color: boolean): TerminalStyle {
  const wrap = (on: number, off: number) => (text: string) => (color && text !== '' ? `${escape}[${on}m${text}${escape}[${off}m` : text)
  return { bold: wrap(1, 22), dim: wrap(2, 22), inverse: wrap(7, 27), ok: wrap(36, 39), warning: wrap(33, 39), bad: wrap(31, 39) }
}

/** The text in at most `width` cells, escape sequences not counted. All text of the demo is one cell per character. */
export function fitted(text: string, width: number): string {
  let cells = 0
  let kept = ''
  for (const part of text.split(escapeSequence)) {
    if (part.startsWith(escape)) kept += part
    else {
      const room = part.slice(0, Math.max(0, width - cells))
      kept += room
      cells += room.length
    }
  }
  return kept
}
