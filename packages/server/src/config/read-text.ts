import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { formatByteSize } from './byte-size.ts'
import { fileStamp, noFile } from './file-stamp.ts'

/** A file's text, or why there is none; `offset` says where in `text` the fault lies, when it lies in the content. */
export type TextRead = Decoded & {
  /** Of the file that was read; see {@link fileStamp}. */
  readonly stamp: string
}

/**
 * Reads a UTF-8 text of at most `maxBytes`, without its byte order mark. Never reads more than that, and never from anything but a
 * regular file, so that neither a huge file nor a pipe can hold the program up.
 */
export function readText(path: string, maxBytes: number): TextRead {
  try {
    const { bytes, fault, stamp } = readAtMost(path, maxBytes)
    return bytes === undefined ? { fault, stamp } : { ...decode(bytes), stamp }
  } catch (error) {
    return { fault: `cannot be read: ${reasonOf(error)}`, stamp: noFile }
  }
}

type BytesRead = ({ readonly bytes: Buffer; readonly fault?: never } | { readonly bytes?: never; readonly fault: string }) & {
  readonly stamp: string
}

function readAtMost(path: string, maxBytes: number): BytesRead {
  const handle = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(handle, { bigint: true })
    const stamp = fileStamp(stat)
    if (!stat.isFile()) return { fault: `is ${stat.isDirectory() ? 'a directory' : 'not a regular file'}`, stamp }
    if (stat.size > maxBytes) return { fault: `is too large: ${stat.size} bytes, at most ${formatByteSize(maxBytes)} are read`, stamp }
    const buffer = Buffer.alloc(maxBytes + 1)
    let length = 0
    for (;;) {
      const read = readSync(handle, buffer, length, buffer.length - length, null)
      length += read
      if (length > maxBytes) return { fault: `is too large: at most ${formatByteSize(maxBytes)} are read`, stamp }
      if (read === 0) return { bytes: buffer.subarray(0, length), stamp }
    }
  } finally {
    closeSync(handle)
  }
}

type Decoded =
  | { readonly text: string; readonly fault?: never }
  | { readonly fault: string; readonly text?: string; readonly offset?: number }

function decode(bytes: Buffer): Decoded {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return { fault: 'is UTF-16: save it as UTF-8' }
  }
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const content = hasMark ? bytes.subarray(3) : bytes
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content) }
  } catch {
    const text = content.toString('utf8')
    return { fault: 'is not UTF-8 text', text, offset: text.indexOf('\ufffd') }
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'no permission',
  EPERM: 'no permission',
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'its name is too long',
  ENXIO: 'not a regular file',
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? (reasons[code] ?? code) : 'its name is not valid'
}
