const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * The headers that may be passed on, flat: name, value, name, value …
 * @param {readonly string[]} rawHeaders
 * @param {string} [alsoWithout] a lower-case name
 * @returns {string[]}
 */
export function passedOn(rawHeaders, alsoWithout) {
  /** @type {string[]} */
  const kept = []
  /** @type {string[]} */
  let named = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = /** @type {string} */ (rawHeaders[index])
    const value = /** @type {string} */ (rawHeaders[index + 1])
    const lower = name.toLowerCase()
    if (lower === 'connection') named = value.toLowerCase().split(/\s*,\s*/)
    if (lower !== alsoWithout && !hopByHop.has(lower)) kept.push(name, value)
  }
  named = named.filter((name) => name !== 'keep-alive' && name !== 'close')
  if (named.length === 0) return kept
  return kept.filter((_, index) => !named.includes(/** @type {string} */ (kept[index - (index % 2)]).toLowerCase()))
}
