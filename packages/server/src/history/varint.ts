/** Writes whole numbers of up to 53 bits, small ones in few bytes (LEB128). */
export class VarintWriter {
  private bytes = Buffer.allocUnsafe(4_096)
  private at = 0

  write(value: number): void {
    if (this.at + 8 > this.bytes.length) this.bytes = Buffer.concat([this.bytes], this.bytes.length * 2)
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.bytes[this.at++] = rest
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.bytes, 0, this.at)
  }
}

/** Reads what {@link VarintWriter} wrote. */
export class VarintReader {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  /** @throws RangeError when the bytes end in the middle of a number. */
  read(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.bytes[this.at++]
      if (byte === undefined) throw new RangeError('the row is cut short')
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }
}
