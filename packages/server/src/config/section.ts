import * as z from 'zod'

/** What a map of settings understands beyond its own keys. */
export interface KeyWords {
  /** Other names of a key, with what reading them so means. */
  readonly aliases?: Readonly<Record<string, KeyAlias>>
  /** Other spellings of a key's values: key → spelling → value. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Keys that people look for here, and where their job is done instead. */
  readonly elsewhere?: Readonly<Record<string, string>>
}

export type KeyAlias = string | { readonly key: string; readonly convert: (value: unknown) => unknown }

/** Kept beside the schemas; what is derived from a schema inherits its words. */
const wordsOf = z.registry<KeyWords>()

/** A map of settings: no other keys, `_` spellings understood ({@link KeyWords}), every problem phrased as "must be …". */
export function section<S extends z.core.$ZodLooseShape>(shape: S, words: KeyWords = {}): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, { error: 'must be a map of settings' }).register(wordsOf, words)
}

/** What a schema expects at one place, as far as reading a tree by it needs to know. */
export type Shape =
  | { readonly kind: 'map'; readonly keys: Readonly<Record<string, z.core.$ZodType>>; readonly words: KeyWords }
  | { readonly kind: 'record'; readonly value: z.core.$ZodType }
  | { readonly kind: 'list'; readonly item: z.core.$ZodType }
  | { readonly kind: 'scalar'; readonly isText: boolean }

type SchemaDefinition = z.core.$ZodTypes['_zod']['def']

/** The shapes a schema accepts; several for a union. */
export function shapesOf(schema: z.core.$ZodType): readonly Shape[] {
  const { def } = schema as unknown as { readonly def: SchemaDefinition }
  switch (def.type) {
    case 'object':
      return [{ kind: 'map', keys: def.shape, words: wordsOf.get(schema) ?? {} }]
    case 'record':
      return [{ kind: 'record', value: def.valueType }]
    case 'array':
      return [{ kind: 'list', item: def.element }]
    case 'union':
      return def.options.flatMap(shapesOf)
    case 'pipe':
      return shapesOf(def.in)
    case 'optional':
    case 'default':
    case 'prefault':
      return shapesOf(def.innerType)
    default:
      return [{ kind: 'scalar', isText: def.type === 'string' }]
  }
}
