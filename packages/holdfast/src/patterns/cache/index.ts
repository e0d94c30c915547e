export {
  cache,
  type Cache,
  type CacheCallbackFailed,
  type CachedValue,
  type CacheEvent,
  type CacheOptions,
  type CacheRefreshFailed,
  type CacheSettings,
  type CacheStaleServed,
  type CacheStatus,
  type StaleNotice,
} from './cache.ts'
