// Runs inside Stryker's copy of the sources: the package's own name must mean that copy, not the one npm links to.
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const source = join(process.cwd(), 'packages/holdfast/src')
const conditions = ['@holdfast/source']

export default defineConfig({
  resolve: {
    conditions,
    alias: [
      { find: /^holdfast$/, replacement: join(source, 'index.ts') },
      { find: /^holdfast\/([\w-]+)$/, replacement: join(source, '$1/index.ts') },
    ],
  },
  ssr: { resolve: { conditions } },
  test: {
    include: (process.env.MUTATION_TESTS ?? 'packages/holdfast/src/**/*.test.ts').split(','),
    testTimeout: 30_000,
  },
})
