// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import { TILE_WIDTH } from './path.ts'

/** Bytes of a log entry at most: its length is a uint16, c2sp.org/tlog-tiles. */
export const MAX_ENTRY_BYTES = 65_535
const LENGTH_BYTES = 2

/**
 * An entry bundle: each entry as uint16 big-endian length, then its bytes.
 * @throws RangeError unless there are 1 to 256 entries of 0 to 65535 bytes
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (entries.length < 1 || entries.length > TILE_WIDTH) throw new RangeError('a bundle has 1 to 256 entries')
  if (entries.some((entry) => entry.length > MAX_ENTRY_BYTES)) throw new RangeError('a log entry is too long')
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + LENGTH_BYTES + entry.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const entry of entries) {
    view.setUint16(at, entry.length)
    bytes.set(entry, at + LENGTH_BYTES)
    at += LENGTH_BYTES + entry.length
  }
  return bytes
}

/**
 * The entries of a bundle, as views of its bytes. There must be exactly `width` of them and nothing after them.
 * @throws AmpereError LOG_MALFORMED, RangeError for a width that no bundle has
 */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  if (!Number.isSafeInteger(width) || width < 1 || width > TILE_WIDTH)
    throw new RangeError('no such bundle width')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < width) {
    if (at + LENGTH_BYTES > bytes.length)
      throw malformed(`entry bundle has ${entries.length} entries, expected ${width}`)
    const end = at + LENGTH_BYTES + view.getUint16(at)
    if (end > bytes.length) throw malformed(`entry ${entries.length} of a bundle is cut short`)
    entries.push(bytes.subarray(at + LENGTH_BYTES, end))
    at = end
  }
  if (at !== bytes.length) throw malformed(`entry bundle has ${bytes.length - at} bytes after its last entry`)
  return entries
}

function malformed(message: string): AmpereError {
  return new AmpereError('LOG_MALFORMED', message)
}
