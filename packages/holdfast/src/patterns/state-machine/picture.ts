import type { Blueprint } from './compile.ts'

/**
 * A Mermaid state diagram. States get ids of their own, so that any text may be their name; quotes and the signs of Mermaid's
 * syntax in texts are written as entities.
 */
export function mermaid({ initial, states }: Blueprint, current: string | undefined): string {
  const ids = new Map([...states.keys()].map((name, index) => [name, `s${index}`]))
  const lines = ['stateDiagram-v2', ...[...states.keys()].map((name) => `  state "${entities(name)}" as ${ids.get(name)}`)]
  lines.push(`  [*] --> ${ids.get(initial.name)}`)
  for (const { name, exits } of states.values()) {
    for (const edges of exits.values())
      for (const { to, event, guard } of edges)
        lines.push(`  ${ids.get(name)} --> ${ids.get(to.name)} : ${entities(event)}${guard === undefined ? '' : ' [guarded]'}`)
    if (exits.size === 0) lines.push(`  ${ids.get(name)} --> [*]`)
  }
  if (current !== undefined) lines.push('  classDef current stroke-width:3px', `  class ${ids.get(current)} current`)
  return `${lines.join('\n')}\n`
}

function entities(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 _.,/()-]/gu, (sign) => `#${sign.codePointAt(0)};`)
}
