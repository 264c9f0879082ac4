// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import type { EvidenceSink } from '#core/client/client.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { AmpereError } from '#core/errors.ts'
import { conflictOf } from '#core/evidence/conflict.ts'
import { parseEvidence } from '#core/evidence/format.ts'
import type { AppendTable } from '#core/ports/table.ts'

/** Evidence files that are kept at most: a home that contradicts itself without end must not fill a table. */
export const MAX_EVIDENCE_FILES = 256
/** Bytes of a file in one row: an item of DynamoDB has 400 KB (Amazon DynamoDB Developer Guide, quotas). */
export const PART_BYTES = 256 * 1024
/** Partition of the bridge's table with the names of the files that are kept, and in each row what finds its parts. */
const EVIDENCE = 'evidence'

/**
 * Keeps evidence files against the home in the bridge's own table, in parts, one for each conflict, under its name: the first that
 * came. They say nothing of patients, and are not sealed: whoever gets one checks it with public keys alone.
 * @throws AmpereError EVIDENCE_MALFORMED, LIMIT_EXCEEDED
 */
export function evidenceTable(table: AppendTable): EvidenceSink {
  return async (bytes) => {
    const name = toHex(fromBase64url(conflictOf(parseEvidence(bytes))))
    const kept = await table.range(EVIDENCE, { limit: MAX_EVIDENCE_FILES })
    if (kept.some(({ key }) => key === name)) return name
    if (kept.length >= MAX_EVIDENCE_FILES)
      throw new AmpereError('LIMIT_EXCEEDED', `${MAX_EVIDENCE_FILES} evidence files are kept already`)
    // Two processes may have two files of one conflict; their parts must not mix.
    const parts = `${EVIDENCE}/${name}/${digestOf(bytes)}`
    for (let at = 0; at * PART_BYTES < bytes.length; at++)
      await table.insert(parts, partKey(at), bytes.subarray(at * PART_BYTES, (at + 1) * PART_BYTES))
    // Last: a file that is listed is there whole.
    await table.insert(EVIDENCE, name, utf8(parts))
    return name
  }
}

/** In order of keys. */
function partKey(at: number): string {
  return String(at).padStart(4, '0')
}
