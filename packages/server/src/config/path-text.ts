/** Where a setting stands in the configuration: keys and list indices from the top. */
export type SettingPath = readonly (string | number)[]

const plainKey = /^[A-Za-z_$][\w$-]*$/

/** A path as people write it: `upstreams.llm.headers["x api"]`, `server.tokens[0]`. */
export function pathText(path: SettingPath): string {
  let text = ''
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`
    else if (plainKey.test(segment)) text += text === '' ? segment : `.${segment}`
    else text += `[${quoted(segment)}]`
  }
  return text
}

const textSegment = /\.?([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y

/** The path that {@link pathText} wrote, or undefined when the text is none. */
export function parsePath(text: string): SettingPath | undefined {
  const path: (string | number)[] = []
  textSegment.lastIndex = 0
  while (textSegment.lastIndex < text.length) {
    const match = textSegment.exec(text)
    if (match === null) return undefined
    const [, key, index, quotedKey] = match
    if (key !== undefined) path.push(key)
    else if (index !== undefined) path.push(Number(index))
    else path.push(unquoted(quotedKey ?? '""'))
  }
  return path
}

// invisible and direction-changing characters would let a message lie about its own content
const deceptive = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** A text in double quotes, on one line, with nothing invisible in it. */
export function quoted(text: string): string {
  return JSON.stringify(text).replace(deceptive, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A text as it is where that is safe in a message, else in double quotes. */
export function shownText(text: string): string {
  const inQuotes = quoted(text)
  return inQuotes === `"${text}"` ? text : inQuotes
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}
