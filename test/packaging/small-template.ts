import { stringify } from 'yaml'

// A renderer for the part of Helm's template language that our chart uses. It is not Helm: whatever it does not know, it refuses.

type Data = unknown
interface Context {
  readonly dot: Data
  readonly root: Data
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly expression: string }
  | {
      readonly kind: 'block'
      readonly word: 'if' | 'range' | 'define'
      readonly expression: string
      readonly body: readonly Node[]
      readonly otherwise: readonly Node[]
    }

type Templates = ReadonlyMap<string, readonly Node[]>

/** A set of templates that can include one another. */
export interface SmallTemplates {
  /** @throws Error that names what is not in the subset, or what `required` asks for. */
  render(file: string, data: Readonly<Record<string, unknown>>): string
}

/** @param files Texts by name. */
export function smallTemplates(files: ReadonlyMap<string, string>): SmallTemplates {
  const parsed = new Map([...files].map(([name, text]) => [name, parse(tokens(text))]))
  const defined = new Map<string, readonly Node[]>()
  for (const node of [...parsed.values()].flat()) {
    if (node.kind === 'block' && node.word === 'define') defined.set(literal(node.expression), node.body)
  }
  return {
    render: (file, data) => {
      const nodes = parsed.get(file)
      if (nodes === undefined) throw new Error(`there is no template ${file}`)
      return write(nodes, { dot: data, root: data }, defined)
    },
  }
}

interface Token {
  readonly kind: 'text' | 'action'
  readonly text: string
}

/** Text and actions; a dash beside the braces takes the white space on its side away. */
function tokens(source: string): readonly Token[] {
  const found: Token[] = []
  let rest = source
  for (;;) {
    const open = rest.indexOf('{{')
    if (open === -1) return [...found, { kind: 'text', text: rest }]
    const close = rest.indexOf('}}', open)
    if (close === -1) throw new Error(`'{{' without '}}': ${rest.slice(open, open + 40)}`)
    const [before, action, after] = [rest.slice(0, open), rest.slice(open + 2, close), rest.slice(close + 2)]
    found.push({ kind: 'text', text: action.startsWith('- ') ? before.trimEnd() : before })
    found.push({ kind: 'action', text: action.replace(/^- /, '').replace(/ -$/, '').trim() })
    rest = action.endsWith(' -') ? after.trimStart() : after
  }
}

function parse(all: readonly Token[]): readonly Node[] {
  let index = 0
  const nodesUntil = (ends: readonly string[]): { nodes: readonly Node[]; end: string } => {
    const nodes: Node[] = []
    for (; index < all.length; index++) {
      const { kind, text } = all[index]!
      const [word = '', ...rest] = text.split(' ')
      if (kind === 'text') nodes.push({ kind, text })
      else if (ends.includes(text)) return { nodes, end: text }
      else if (word === 'if' || word === 'range' || word === 'define') {
        index++
        const body = nodesUntil(word === 'if' ? ['else', 'end'] : ['end'])
        if (body.end === 'else') index++
        const otherwise = body.end === 'else' ? nodesUntil(['end']).nodes : []
        nodes.push({ kind: 'block', word, expression: rest.join(' '), body: body.nodes, otherwise })
      } else nodes.push({ kind: 'print', expression: text })
    }
    if (ends.length > 0) throw new Error(`a block without ${ends.join(' or ')}`)
    return { nodes, end: '' }
  }
  return nodesUntil([]).nodes
}

function write(nodes: readonly Node[], context: Context, defined: Templates): string {
  return nodes.map((node) => writeNode(node, context, defined)).join('')
}

function writeNode(node: Node, context: Context, defined: Templates): string {
  if (node.kind === 'text') return node.text
  if (node.kind === 'print') return printed(evaluate(node.expression, context, defined))
  if (node.word === 'define') return ''
  const value = evaluate(node.expression, context, defined)
  if (node.word === 'if') return write(isTruthy(value) ? node.body : node.otherwise, context, defined)
  if (!Array.isArray(value)) throw new Error(`range over what is no list: ${node.expression}`)
  return value.map((dot) => write(node.body, { ...context, dot }, defined)).join('')
}

/** `a b | c d`: what stands on the left is the last argument of what stands on the right. */
function evaluate(expression: string, context: Context, defined: Templates): Data {
  let value: { readonly data: Data } | undefined
  for (const stage of split(expression, '|')) {
    const terms = split(stage, ' ').map((term) => ({ term, data: () => evaluateTerm(term, context, defined) }))
    const [first, ...rest] = terms
    if (first === undefined) throw new Error(`an empty expression: '${expression}'`)
    const args = [...rest.map(({ data }) => data()), ...(value === undefined ? [] : [value.data])]
    value = { data: args.length === 0 && !(first.term in functions) ? first.data() : call(first.term, args, defined) }
  }
  return value?.data
}

function evaluateTerm(term: string, context: Context, defined: Templates): Data {
  if (term.startsWith('(') && term.endsWith(')')) return evaluate(term.slice(1, -1), context, defined)
  if (term.startsWith('"')) return literal(term)
  if (/^\d+$/.test(term)) return Number(term)
  const [, from, path = ''] = /^(\$?)\.?((?:[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)?)$/.exec(term) ?? []
  if (from === undefined || !/^[$.]/.test(term)) throw new Error(`not in the subset: ${term}`)
  let data = from === '$' ? context.root : context.dot
  for (const name of path.split('.').filter(Boolean)) {
    if (typeof data !== 'object' || data === null || !(name in data)) throw new Error(`there is no value ${term}`)
    data = (data as Record<string, unknown>)[name]
  }
  return data
}

const functions: Readonly<Record<string, (...args: readonly never[]) => Data>> = {
  default: (fallback: Data, value: Data) => (isTruthy(value) ? value : fallback),
  indent: (width: number, text: string) => text.replaceAll(/^/gm, ' '.repeat(width)),
  nindent: (width: number, text: string) => `\n${text.replaceAll(/^/gm, ' '.repeat(width))}`,
  printf: (format: string, ...values: readonly string[]) => {
    let next = 0
    return format.replaceAll('%s', () => String(values[next++]))
  },
  quote: (value: Data) => JSON.stringify(String(value)),
  required: (message: string, value: Data) => {
    if (!isTruthy(value)) throw new Error(message)
    return value
  },
  toYaml: (value: Data) => stringify(value, { lineWidth: 0 }).trimEnd(),
  trimSuffix: (suffix: string, text: string) => (text.endsWith(suffix) ? text.slice(0, -suffix.length) : text),
  trunc: (length: number, text: string) => text.slice(0, length),
}

function call(name: string, args: readonly Data[], defined: Templates): Data {
  if (name === 'include') {
    const [template, dot] = args
    const nodes = defined.get(String(template))
    if (nodes === undefined) throw new Error(`there is no template ${String(template)}`)
    return write(nodes, { dot, root: dot }, defined)
  }
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (known === undefined) throw new Error(`not in the subset: ${name}`)
  return known(...(args as readonly never[]))
}

/** Parts at a separator that stands neither in quotes nor in parentheses. */
function split(text: string, separator: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let quoted = false
  let part = ''
  for (const character of text) {
    if (character === '"') quoted = !quoted
    if (!quoted && character === '(') depth++
    if (!quoted && character === ')') depth--
    if (character === separator && depth === 0 && !quoted) parts.push(part)
    else part += character
    if (character === separator && depth === 0 && !quoted) part = ''
  }
  return [...parts, part].map((each) => each.trim()).filter((each) => each !== '')
}

function literal(term: string): string {
  return JSON.parse(term) as string
}

function isTruthy(value: Data): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

function printed(value: Data): string {
  if (value === undefined || value === null) throw new Error('a value that is not there would be printed')
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error('an object would be printed: use toYaml')
}
