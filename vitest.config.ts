import { defineConfig } from 'vitest/config'

const conditions = ['@holdfast/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    maxWorkers: 2, // some tests run real servers and processes: more of them at once would only disturb each other
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
