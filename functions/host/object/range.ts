// SPDX-License-Identifier: Apache-2.0
import { MAX_OBJECT_BYTES } from '#core/block/block.ts'
import type { ByteRange } from '#core/ports/objects.ts'

/**
 * The one range of bytes that a Range header asks for, or null where the whole is to be sent: for every form
 * but `bytes=a-b` and `bytes=a-`, and when If-Range names another representation (RFC 9110 section 13.1.5).
 * A server may ignore any Range (section 14.2), and must ignore a malformed one.
 */
export function rangeOf(
  range: string | undefined,
  ifRange: string | undefined,
  etag: string,
): ByteRange | null {
  if (ifRange !== undefined && ifRange !== etag) return null
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/i.exec(range ?? '')
  if (!match) return null
  const start = Number(match[1])
  // With its descriptors no object is twice as large as its entries may be.
  const end = match[2] ? Number(match[2]) + 1 : start + 2 * MAX_OBJECT_BYTES
  return start < end ? { start, end } : null
}
