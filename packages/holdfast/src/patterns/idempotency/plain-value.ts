/** Deeper values are not plain data; a value inside itself is endlessly deep. */
const maxDepth = 500

/** Why a value cannot be written down. */
export class NotPlainError extends TypeError {
  override readonly name = 'NotPlainError'
}

/**
 * Text of plain data, from which {@link readPlain} makes an equal value: what JSON has, and undefined, bigint, NaN and the like,
 * Date, Map, Set, ArrayBuffer, typed arrays. An object is plain when it is no instance of a class: one that would come back as
 * something else is refused rather than changed.
 * @throws NotPlainError
 */
export function writePlain(value: unknown): string {
  return write(value, false, 0)
}

/**
 * As {@link writePlain}, but equal requests have the same text: properties in the order of their names (as RFC 8785 sorts them), those
 * that are undefined left out, objects that say how they are written in JSON (`toJSON`) as they do.
 * @throws NotPlainError
 */
export function writeCanonical(value: unknown): string {
  return write(value, true, 0)
}

function write(value: unknown, canonical: boolean, depth: number): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      if (Number.isFinite(value) && !(Object.is(value, -0) && !canonical)) return JSON.stringify(value)
      return `{"$number":"${Object.is(value, -0) ? '-0' : value}"}`
    case 'undefined':
      return '{"$undefined":0}'
    case 'bigint':
      return `{"$bigint":"${value}"}`
    case 'object':
      return value === null ? 'null' : writeObject(value, canonical, depth + 1)
    default:
      throw new NotPlainError(`a ${typeof value} is no plain data`)
  }
}

function writeObject(value: object, canonical: boolean, depth: number): string {
  if (depth > maxDepth) throw new NotPlainError(`a value nested more than ${maxDepth} deep, perhaps inside itself, is no plain data`)
  if (Array.isArray(value)) return `[${Array.from(value, (item) => write(item, canonical, depth)).join(',')}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return writeProperties(value as Record<string, unknown>, canonical, depth)
  if (value instanceof Date) return `{"$date":${write(value.getTime(), canonical, depth)}}`
  if (value instanceof Map) return `{"$map":${write([...value], canonical, depth)}}`
  if (value instanceof Set) return `{"$set":${write([...value], canonical, depth)}}`
  if (value instanceof ArrayBuffer) return `{"$bytes":["ArrayBuffer","${toBase64(new Uint8Array(value))}"]}`
  if (ArrayBuffer.isView(value)) return writeView(value)
  const { toJSON } = value as { toJSON?: unknown }
  if (canonical && typeof toJSON === 'function') return write(toJSON.call(value), canonical, depth)
  const { name } = Object((prototype as { constructor?: unknown }).constructor) as { name?: unknown }
  throw new NotPlainError(`an instance of ${typeof name === 'string' && name !== '' ? name : 'a class'} is no plain data`)
}

function writeProperties(value: Record<string, unknown>, canonical: boolean, depth: number): string {
  let names = Object.keys(value)
  if (canonical) names = names.filter((name) => value[name] !== undefined).toSorted()
  // `$` alone marks what JSON has no word for
  const texts = names.map((name) => `${JSON.stringify(name.startsWith('$') ? `$${name}` : name)}:${write(value[name], canonical, depth)}`)
  return `{${texts.join(',')}}`
}

const viewTypes = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const

function writeView(value: ArrayBufferView): string {
  const type = Object.entries(viewTypes).find(([, View]) => value instanceof View)?.[0]
  if (type === undefined) throw new NotPlainError('a DataView is no plain data')
  return `{"$bytes":["${type}","${toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}"]}`
}

/** The value that {@link writePlain} wrote down. */
export function readPlain(text: string): unknown {
  return revive(JSON.parse(text))
}

function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(revive)
  const names = Object.keys(value)
  const [first] = names
  if (names.length === 1 && first?.startsWith('$') === true && !first.startsWith('$$'))
    return special(first, (value as Record<string, unknown>)[first])
  const made: Record<string, unknown> = {}
  for (const name of names) {
    const property = revive((value as Record<string, unknown>)[name])
    const own = name.startsWith('$') ? name.slice(1) : name
    if (own === '__proto__') Object.defineProperty(made, own, { value: property, enumerable: true, configurable: true, writable: true })
    else made[own] = property
  }
  return made
}

function special(mark: string, content: unknown): unknown {
  switch (mark) {
    case '$undefined':
      return undefined
    case '$number':
      return Number(content)
    case '$bigint':
      return BigInt(content as string)
    case '$date':
      return new Date(revive(content) as number)
    case '$map':
      return new Map(revive(content) as [unknown, unknown][])
    case '$set':
      return new Set(revive(content) as unknown[])
    case '$bytes': {
      const [type, text] = content as [string, string]
      const { buffer } = fromBase64(text)
      return type === 'ArrayBuffer' ? buffer : new viewTypes[type as keyof typeof viewTypes](buffer)
    }
    default:
      throw new NotPlainError(`unknown mark ${mark} in stored data`)
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let start = 0; start < bytes.length; start += 8_192) binary += String.fromCharCode(...bytes.subarray(start, start + 8_192))
  return btoa(binary)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
