import type * as z from 'zod'
import { formatByteSize } from './byte-size.ts'
import { formatDuration } from './duration-text.ts'
import { unitOf, type SettingUnit } from './scalars.ts'
import { shapesOf, type Shape } from './section.ts'

/** Shapes of schemas that were asked for: a configuration has many settings of few kinds. */
const knownShapes = new WeakMap<z.core.$ZodType, readonly Shape[]>()
const knownUnits = new WeakMap<z.core.$ZodType, SettingUnit | 'none'>()

function shapes(schema: z.core.$ZodType): readonly Shape[] {
  const known = knownShapes.get(schema)
  if (known !== undefined) return known
  const found = shapesOf(schema)
  knownShapes.set(schema, found)
  return found
}

/** The schema of what stands under a key of a map; undefined when there is none. */
export function schemaBelow(schema: z.core.$ZodType, key: string | number): z.core.$ZodType | undefined {
  for (const shape of shapes(schema)) {
    if (shape.kind === 'list') return shape.item
    if (shape.kind === 'record') return shape.value
    if (shape.kind === 'map' && Object.hasOwn(shape.keys, key)) return shape.keys[key]
  }
  return undefined
}

/** A number as people write it: `30s`, `50%`, `1MiB`. */
export function writtenNumber(value: number, schema: z.core.$ZodType | undefined): string | number {
  switch (schema === undefined ? undefined : knownUnit(schema)) {
    case 'duration':
      return formatDuration(value)
    case 'bytes':
      return formatByteSize(value)
    case 'share':
      return `${Number((value * 100).toPrecision(15))}%`
    default:
      return value
  }
}

type SchemaDefinition = z.core.$ZodTypes['_zod']['def']

function knownUnit(schema: z.core.$ZodType): SettingUnit | 'none' {
  const known = knownUnits.get(schema) ?? unitOfSchema(schema) ?? 'none'
  knownUnits.set(schema, known)
  return known
}

function unitOfSchema(schema: z.core.$ZodType): SettingUnit | undefined {
  const known = unitOf.get(schema)?.unit
  if (known !== undefined) return known
  const { def } = schema as unknown as { readonly def: SchemaDefinition }
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
      return unitOfSchema(def.innerType)
    case 'pipe':
      return unitOfSchema(def.in)
    case 'union':
      return def.options.map(unitOfSchema).find((unit) => unit !== undefined)
    default:
      return undefined
  }
}
