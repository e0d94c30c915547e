/** A string of RFC 9651. @throws TypeError for characters it cannot have. */
export function writeString(text: string): string {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new TypeError(`${JSON.stringify(text)} is no printable ASCII`)
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** The string an item of RFC 9651 holds, its parameters left aside; undefined when it is none. */
export function readString(field: string): string | undefined {
  const match = /^ *"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)" *(?:;.*)?$/.exec(field)
  return match?.[1]?.replace(/\\(["\\])/g, '$1')
}
