export * from './health/index.ts'
