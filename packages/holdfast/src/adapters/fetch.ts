export {
  resilientFetch,
  type FetchCallOptions,
  type ResilientFetch,
  type ResilientFetchOptions,
  type ResilientRequestInit,
} from './fetch/resilient-fetch.ts'
export type { FetchRequest } from './fetch/fetch-request.ts'
export { responseTokens } from './fetch/usage-reader.ts'
