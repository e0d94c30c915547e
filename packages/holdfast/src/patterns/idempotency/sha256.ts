/** The first 32 bits of the fractional parts of a root of the first primes, as FIPS 180-4 defines its constants. */
function rootBits(count: number, root: (prime: number) => number): Uint32Array {
  const bits = new Uint32Array(count)
  for (let found = 0, candidate = 2; found < count; candidate++) {
    let divisor = 2
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++
    if (divisor * divisor > candidate) bits[found++] = (root(candidate) % 1) * 2 ** 32
  }
  return bits
}

const initial = rootBits(8, Math.sqrt)
const rounds = rootBits(64, Math.cbrt)
const schedule = new Uint32Array(64)

/**
 * SHA-256 (FIPS 180-4) as 64 hexadecimal digits. WebCrypto answers later, in the order of its threads: a claim would not be made in the
 * order of the calls, nor a run under a fake clock be repeatable. For what identifies a request this is also the faster one.
 */
export function sha256(bytes: Uint8Array): string {
  const blocks = new Uint8Array(((bytes.length + 72) >> 6) << 6)
  blocks.set(bytes)
  blocks[bytes.length] = 0x80
  const view = new DataView(blocks.buffer)
  view.setUint32(blocks.length - 8, Math.floor(bytes.length / 2 ** 29))
  view.setUint32(blocks.length - 4, (bytes.length << 3) >>> 0)
  const state = initial.slice()
  for (let offset = 0; offset < blocks.length; offset += 64) digestBlock(state, view, offset)
  let text = ''
  for (const word of state) text += word.toString(16).padStart(8, '0')
  return text
}

function digestBlock(state: Uint32Array, view: DataView, offset: number): void {
  for (let index = 0; index < 64; index++) {
    if (index < 16) {
      schedule[index] = view.getUint32(offset + 4 * index)
      continue
    }
    const near = schedule[index - 2] as number
    const far = schedule[index - 15] as number
    const nearMix = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10)
    const farMix = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3)
    schedule[index] = nearMix + (schedule[index - 7] as number) + farMix + (schedule[index - 16] as number)
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let index = 0; index < 64; index++) {
    const chosen = (e & f) ^ (~e & g)
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + chosen + (rounds[index] as number) + (schedule[index] as number)) | 0
    const major = (a & b) ^ (a & c) ^ (b & c)
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + major) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] as number) + word
}

function turn(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by))
}
