/** What differs between the two sides of an audit record. */
export interface AuditChange {
  /** Null when the sides are single values, or have nothing in common. */
  readonly name: string | null
  readonly before: string
  readonly after: string
}

/** Fields that have columns of their own. */
const toldElsewhere = new Set(['at', 'by', 'reason', 'expiresAt'])

/** The fields that differ, each as text, nested ones by their path; the whole sides when they have no field in common. */
export function auditChanges(before: unknown, after: unknown): AuditChange[] {
  const sides = [fieldsOf(before), fieldsOf(after)] as const
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))]
  if (names.length > 0 && sides.every((side) => side.size > 0) && !names.some((name) => sides.every((side) => side.has(name)))) {
    return [{ name: null, before: sideText(sides[0]), after: sideText(sides[1]) }]
  }
  return names.flatMap((name) => {
    const change = { name: name === '' ? null : name, before: sides[0].get(name) ?? '–', after: sides[1].get(name) ?? '–' }
    return change.before === change.after ? [] : [change]
  })
}

type Fields = ReadonlyMap<string, string>

/** The values within a value, as text by path; a value that is no object has the empty path. */
function fieldsOf(value: unknown, path = ''): Fields {
  if (value === null || value === undefined) return new Map()
  if (typeof value !== 'object' || Array.isArray(value)) return new Map([[path, typeof value === 'string' ? value : JSON.stringify(value)]])
  return new Map(
    Object.entries(value).flatMap(([name, field]) =>
      toldElsewhere.has(name) ? [] : [...fieldsOf(field, path === '' ? name : `${path}.${name}`)],
    ),
  )
}

function sideText(fields: Fields): string {
  return [...fields].map(([name, value]) => (name === '' ? value : `${name} ${value}`)).join(', ')
}
