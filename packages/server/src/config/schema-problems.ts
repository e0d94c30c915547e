import type * as z from 'zod'
import { didYouMean } from './did-you-mean.ts'
import { suggestDuration } from './duration-text.ts'
import type { SettingPath } from './path-text.ts'
import type { ProblemList } from './problems.ts'
import type { SuggestionParams } from './scalars.ts'
import { showValue } from './show-value.ts'
import { locate, type Location, type SourceNode } from './source-tree.ts'

type Issue = z.core.$ZodIssue

/** Turns what the schema found into problems at the places where the values were written. */
export function reportIssues(issues: readonly Issue[], root: SourceNode, problems: ProblemList): void {
  for (const issue of issues) for (const { path, issue: inner } of innermost(issue, [])) report(inner, path, root, problems)
}

interface PlacedIssue {
  readonly path: SettingPath
  readonly issue: Issue
}

/** Of a union's issues, those of the form that was meant: the one whose kind (text, map, list) the value has. */
function innermost(issue: Issue, outer: SettingPath): readonly PlacedIssue[] {
  const path = [...outer, ...issue.path.filter((segment) => typeof segment !== 'symbol')]
  if (issue.code !== 'invalid_union') return [{ path, issue }]
  const branches = issue.errors.filter((branch) => branch.length > 0)
  const meant =
    branches.find((branch) => branch.every(({ path: inside }) => inside.length > 0)) ??
    branches.find((branch) => branch.every(({ code }) => code !== 'invalid_type'))
  return meant === undefined ? [{ path, issue }] : meant.flatMap((each) => innermost(each, path))
}

function report(issue: Issue, path: SettingPath, root: SourceNode, problems: ProblemList): void {
  const place = locate(root, path)
  const { node } = place
  if (place.nearest.kind === 'scalar' && place.nearest.faulty === true) return
  if (issue.code === 'invalid_key') {
    problems.add(place.keyAt, place.written, `the name ${issue.issues[0]?.message ?? issue.message}`)
    return
  }
  if (node === undefined) {
    problems.add(place.at, place.written, `is missing; it ${issue.message}`)
    return
  }
  const showsValue = node.kind === 'scalar' || issue.code === 'invalid_type' || issue.code === 'invalid_union'
  problems.add(place.at, place.written, `${issue.message}${showsValue ? `, got ${showValue(node, path)}` : ''}`, () =>
    suggestionFor(issue, place),
  )
}

function suggestionFor(issue: Issue, { node }: Location): string | undefined {
  if (node?.kind !== 'scalar' || node.substituted !== undefined) return undefined
  const { value } = node
  if (issue.code === 'custom') return (issue.params as SuggestionParams | undefined)?.suggestion
  if (issue.code === 'invalid_value' && typeof value === 'string') return didYouMean(value, issue.values.map(String))
  if (issue.code === 'invalid_union' && typeof value === 'number') return suggestDuration(value)
  if (issue.code !== 'invalid_type' || typeof value !== 'string') return undefined
  if (issue.expected === 'boolean') return booleanWords.get(value.toLowerCase())
  return (issue.expected === 'number' || issue.expected === 'int') && /^-?\d+(\.\d+)?$/.test(value) ? value : undefined
}

const booleanWords: ReadonlyMap<string, string> = new Map([
  ...['yes', 'on', 'y', '1', 'true', 'enabled'].map((word) => [word, 'true'] as const),
  ...['no', 'off', 'n', '0', 'false', 'disabled'].map((word) => [word, 'false'] as const),
])
