// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, toHex, utf8 } from '#core/bytes/encoding.ts'
import type { EvidenceSink } from '#core/client/client.ts'
import { AmpereError } from '#core/errors.ts'
import { conflictOf } from '#core/evidence/conflict.ts'
import { parseEvidence } from '#core/evidence/format.ts'
import type { Ports } from '#core/ports/needs.ts'
import type { role } from '../role.ts'

/** Evidence files that are kept at most: a home that contradicts itself without end must not fill a store. */
export const MAX_EVIDENCE_FILES = 256
/** Partition of the bridge's table with the names of the files that are kept. */
const EVIDENCE = 'evidence'

/**
 * Keeps evidence files against the home in the store `evidence`, one for each conflict, under its name: the first that came. They say
 * nothing of patients, and are not sealed: whoever gets one checks it with public keys alone.
 * @throws AmpereError EVIDENCE_MALFORMED, LIMIT_EXCEEDED
 */
export function evidenceStore({
  tables,
  objects,
}: Pick<Ports<(typeof role)['needs']>, 'tables' | 'objects'>): EvidenceSink {
  return async (bytes) => {
    const name = toHex(fromBase64url(conflictOf(parseEvidence(bytes))))
    const kept = await tables.bridge.range(EVIDENCE, { limit: MAX_EVIDENCE_FILES })
    if (kept.some(({ key }) => key === name)) return name
    if (kept.length >= MAX_EVIDENCE_FILES)
      throw new AmpereError('LIMIT_EXCEEDED', `${MAX_EVIDENCE_FILES} evidence files are kept already`)
    await objects.evidence.store(`${name}.json`, bytes)
    // Last: a name that is listed is one whose file is there.
    await tables.bridge.insert(EVIDENCE, name, utf8(String(bytes.length)))
    return name
  }
}
