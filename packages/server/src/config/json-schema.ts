import * as z from 'zod'
import { configSchema } from './schema.ts'

type JsonSchema = Record<string, unknown>

const substitution = { $ref: '#/$defs/substitution' }

const substitutionDefinition = {
  type: 'string',
  pattern: String.raw`\$\{`,
  description: 'Replaced when the configuration is loaded: ${VARIABLE}, ${VARIABLE:-default} or ${file:/path}.',
}

/** The JSON Schema of a configuration file, for editors: what may be written, `${…}` in the place of any scalar included. */
export function configJsonSchema(): JsonSchema {
  const { $schema, $defs, ...root } = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema, path }) => {
      if (path.at(-1) !== 'propertyNames') allowSubstitution(jsonSchema, zodSchema)
    },
  }) as JsonSchema
  return {
    $schema,
    title: 'Holdfast configuration',
    description: 'config/reliability.yml and the files it includes.',
    ...root,
    patternProperties: { '^x-': { description: 'Ignored: a place for values to refer to (&name, *name).' } },
    $defs: { ...($defs as JsonSchema), substitution: substitutionDefinition },
  }
}

const scalarTypes = new Set<unknown>(['integer', 'number', 'boolean', 'string'])

/** Lets a scalar be `${…}` too. Texts that may be anything allow it anyway. */
function allowSubstitution(schema: JsonSchema, zodSchema: z.core.$ZodType): void {
  const isFreeText = schema.type === 'string' && schema.pattern === undefined && schema.enum === undefined
  if (scalarTypes.has(schema.type) && !isFreeText) {
    const { description, default: defaultValue, ...constraints } = schema
    for (const key of Object.keys(schema)) delete schema[key]
    const annotations = Object.entries({ description, default: defaultValue }).filter(([, value]) => value !== undefined)
    Object.assign(schema, Object.fromEntries(annotations), { anyOf: [constraints, substitution] })
  } else if (Array.isArray(schema.anyOf) && isParsedScalar(zodSchema)) {
    schema.anyOf = [...(schema.anyOf as unknown[]), substitution]
  }
}

/** Scalars with several forms (85 % is 0.85 or '85%') list them in one place, which is not visited form by form. */
function isParsedScalar(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodPipe && schema.in instanceof z.ZodUnknown
}
