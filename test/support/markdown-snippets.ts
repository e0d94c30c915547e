/** One fenced code block of a Markdown page. */
export interface Snippet {
  /** First word after the fence, for example `ts`. */
  readonly language: string
  /** The words after the language, for example `test`. */
  readonly flags: readonly string[]
  /** Line of the block's first line of code, counted from 1. */
  readonly line: number
  readonly code: string
  /** Directives in the HTML comments right above the fence: `<!-- setup: orders -->` is `setup` with the value `orders`. */
  readonly directives: ReadonlyMap<string, string>
}

const fence = /^(`{3,}|~{3,})\s*(.*)$/
const directive = /^<!--\s*([a-z]+)(?::\s*(\S+))?\s*-->$/

/** The fenced code blocks of a page, in their order. */
export function findSnippets(markdown: string): readonly Snippet[] {
  const lines = markdown.split(/\r?\n/)
  const snippets: Snippet[] = []
  let directives = new Map<string, string>()
  for (let index = 0; index < lines.length; index += 1) {
    const text = lines[index]?.trim() ?? ''
    const [, name, value = ''] = directive.exec(text) ?? []
    const [, marks, info = ''] = fence.exec(text) ?? []
    if (marks !== undefined) {
      const end = endOfBlock(lines, index + 1, marks)
      const [language = '', ...flags] = info.split(/\s+/)
      snippets.push({ language, flags, line: index + 2, code: lines.slice(index + 1, end).join('\n'), directives })
      index = end
    }
    if (name !== undefined) directives.set(name, value)
    else if (text !== '') directives = new Map()
  }
  return snippets
}

function endOfBlock(lines: readonly string[], from: number, marks: string): number {
  const end = lines.findIndex((line, index) => index >= from && line.trim() === marks)
  return end === -1 ? lines.length : end
}

/**
 * The program a `ts` snippet stands for. Its code keeps the line it has on the page, so that an error leads there; the lines above hold
 * the setup it names and, where it continues the block before, the code of that block.
 *
 * @param readSetup Text of a named setup.
 */
export function assembleProgram(snippets: readonly Snippet[], snippet: Snippet, readSetup: (name: string) => string): string {
  const chain = chainOf(
    snippets.filter(({ language }) => language === 'ts'),
    snippet,
  )
  const setup = chain[0]?.directives.get('setup')
  const lines = setup === undefined ? [] : readSetup(setup).trimEnd().split('\n')
  for (const { line, code } of chain) {
    while (lines.length < line - 1) lines.push('')
    lines.push(...code.split('\n'))
  }
  return `${lines.join('\n')}\n`
}

/** The blocks a snippet builds on, then the snippet itself. */
function chainOf(programs: readonly Snippet[], snippet: Snippet): readonly Snippet[] {
  const previous = programs[programs.indexOf(snippet) - 1]
  return snippet.directives.has('continues') && previous !== undefined ? [...chainOf(programs, previous), snippet] : [snippet]
}
