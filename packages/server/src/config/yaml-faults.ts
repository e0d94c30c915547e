import type { YAMLParseError, YAMLWarning } from 'yaml'

export type YamlFault = YAMLParseError | YAMLWarning

const maxFaults = 10

/** The faults worth telling: once the parser has met what it did not expect, it stumbles over all that follows. */
export function meaningful(faults: readonly YamlFault[]): readonly YamlFault[] {
  const inOrder = faults.toSorted((a, b) => a.pos[0] - b.pos[0])
  const stumble = inOrder.findIndex(({ code }) => code === 'UNEXPECTED_TOKEN')
  return inOrder.slice(0, Math.min(maxFaults, stumble < 0 ? faults.length : stumble + 1))
}

const sentences: Partial<Record<YamlFault['code'], string>> = {
  ALIAS_PROPS: 'an alias (*name) takes no anchor and no tag',
  BAD_ALIAS: 'this anchor or alias has no usable name',
  BAD_COLLECTION_TYPE: 'tags (!name) are not supported',
  BAD_DIRECTIVE: 'this directive (%…) is not supported',
  BAD_DQ_ESCAPE: "double quotes hold an escape sequence that YAML does not know; use single quotes, or '\\\\' for a backslash",
  BAD_INDENT: 'the indentation does not fit what stands above',
  BAD_PROP_ORDER: 'an anchor stands in the wrong place',
  BAD_SCALAR_START: 'a text that begins like this needs quotes',
  BLOCK_AS_IMPLICIT_KEY: "a second 'key:' stands on the same line; put it on its own line, or the value in quotes",
  BLOCK_IN_FLOW: 'inside { } and [ ] only the bracket form is allowed',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MULTILINE_IMPLICIT_KEY: "a 'key:' must fit on one line; something before it is perhaps not closed or lacks its ':'",
  MULTIPLE_ANCHORS: 'a value has more than one anchor',
  MULTIPLE_DOCS: "a file holds one document: remove this '---', or put what follows into a file of its own and include it",
  MULTIPLE_TAGS: 'tags (!name) are not supported',
  NON_STRING_KEY: 'a key must be a plain text',
  RESOURCE_EXHAUSTION: 'the values are nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent: use spaces',
  TAG_RESOLVE_FAILED: 'tags (!name) are not supported',
  UNEXPECTED_TOKEN: 'this does not belong here; look for a bracket, quote or comma too many, or a wrong indentation',
}

const missing: readonly (readonly [RegExp, string])[] = [
  [/closing ["']quote/, 'a quoted text is never closed'],
  [/flow|between/, 'a comma, colon or closing bracket is missing'],
  [/Implicit map keys/, "a key lacks its ': value'"],
  [/white space|space after/, 'a space is missing'],
  [/Sequence item/, "a list item lacks its '- '"],
]

/** What a fault of the YAML parser means, in our words: its own may quote the file, and the file may hold secrets. */
export function explainYamlFault(fault: YamlFault, line: string): string {
  const quoting = hasBareSubstitutionInBrackets(line) ? "; inside { } and [ ] a '${…}' needs quotes around it" : ''
  return explain(fault) + quoting
}

function explain({ code, message }: YamlFault): string {
  if (code === 'BAD_INDENT' && /flow/i.test(message)) return 'a bracket above is not closed, or what stands in it is not indented'
  if (code !== 'MISSING_CHAR') return sentences[code] ?? 'this is not valid YAML'
  return missing.find(([pattern]) => pattern.test(message))?.[1] ?? 'a character is missing here'
}

/** Whether a line uses `${…}` without quotes inside brackets, where YAML reads the braces as its own. */
function hasBareSubstitutionInBrackets(line: string): boolean {
  return /[{[,][^'"#]*\$\{/.test(line)
}
