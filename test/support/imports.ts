import ts from 'typescript-5'

/** One import of a source file, whatever its form: statement, re-export, `import()` or `import('…')` type. */
export interface ImportFound {
  readonly specifier: string
  /** Whether the import is gone at run time. */
  readonly typeOnly: boolean
  /** Whether it is an `import()` call, run only when that line is reached. */
  readonly lazy: boolean
}

/** Every import of one TypeScript or JavaScript source text. */
export function findImports(source: string): readonly ImportFound[] {
  const found: ImportFound[] = []
  const visit = (node: ts.Node): void => {
    const imported = readImport(node)
    if (imported !== undefined) found.push(imported)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.ESNext))
  return found
}

function readImport(node: ts.Node): ImportFound | undefined {
  if (ts.isImportDeclaration(node)) return literal(node.moduleSpecifier, { typeOnly: node.importClause?.isTypeOnly === true })
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) return literal(node.moduleSpecifier, { typeOnly: node.isTypeOnly })
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal, { typeOnly: true })
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return literal(node.arguments[0], { lazy: true })
  return undefined
}

function literal(node: ts.Node | undefined, { typeOnly = false, lazy = false }): ImportFound | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? { specifier: node.text, typeOnly, lazy } : undefined
}
