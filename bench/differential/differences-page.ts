import { differences } from './differences.ts'

/** The text of docs/differences.md. */
export function differencesPage(): string {
  const peers = [...new Set(differences.map(({ peer }) => peer))]
  return `${[
    '# Differences on purpose',
    'Holdfast is compared with other libraries on random scripts: the same calls, failures, pauses and aborts go to both, under one clock, and after each step state, answers and the number of function calls must be the same. What follows are all the differences the comparison accepts; any other one fails the tests, and so does one listed here that never shows. This page is made of `bench/differential/differences.ts`.',
    ...peers.flatMap((peer) => [`## ${peer}`, ...differences.filter((each) => each.peer === peer).map(entry)]),
  ].join('\n\n')}\n`
}

function entry({ id, pairings, ours, theirs, reason, checklist }: (typeof differences)[number]): string {
  const title = `${id.charAt(0).toUpperCase()}${id.slice(1)}`
  return [
    `### ${title}`,
    `- **Here**: ${ours}`,
    `- **There**: ${theirs}`,
    `- **Why**: ${reason}`,
    `- Seen when comparing: ${pairings.join(', ')}. Acceptance rule ${checklist.join(', ')}.`,
  ]
    .join('\n\n')
    .replaceAll('\n\n- ', '\n- ')
    .replace('\n- ', '\n\n- ')
}
