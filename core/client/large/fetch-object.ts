// SPDX-License-Identifier: Apache-2.0
import { concat } from '../../bytes/frame.ts'
import { MAX_RANGE_BYTES } from '../../api/large/upload.ts'
import { answered, get, getAnswer } from '../ask-home.ts'
import type { ClientPorts } from '../client.ts'

/**
 * The first `maxBytes` of an object, or all of a shorter one. Beyond `MAX_RANGE_BYTES` it is read in ranges, because what
 * a home runs behind may let no larger answer pass. A range that is shorter than asked for is the last.
 * @throws AmpereError with the home's own code, or UPSTREAM_FAILED
 */
export async function fetchObject(
  ports: ClientPorts,
  path: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (maxBytes <= MAX_RANGE_BYTES) return get(ports, path, { maxBytes, beyond: 'cut' })
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (let start = 0; start < maxBytes;) {
    const end = Math.min(start + MAX_RANGE_BYTES, maxBytes)
    const range = { range: `bytes=${start}-${end - 1}` }
    const answer = await getAnswer(ports, path, { maxBytes, beyond: 'cut' }, range)
    // It ended where a range did.
    if (answer.status === 416 && start > 0) break
    const bytes = answered(answer)
    // A home that gives no ranges gives the whole.
    if (answer.status !== 206) return bytes
    parts.push(bytes.subarray(0, end - start))
    if (bytes.length < end - start) break
    start = end
  }
  return concat(...parts)
}
