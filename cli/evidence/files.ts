// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromBase64url, toHex } from '#core/bytes/encoding.ts'
import type { EvidenceSink } from '#core/client/client.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import { conflictOf } from '#core/evidence/conflict.ts'
import { MAX_EVIDENCE_BYTES, parseEvidence } from '#core/evidence/format.ts'
import { makeFolder } from '../deployment/files.ts'

/** Where an installation keeps what convicts others; copy it elsewhere, and never delete it. */
export function evidenceFolder(folder: string): string {
  return join(folder, 'evidence')
}

/** Files that are kept at most: a home that contradicts itself without end must not fill a disk. */
export const MAX_EVIDENCE_FILES = 256

/**
 * Keeps evidence files in a data folder, one for each conflict, under its name: the first that came.
 * @throws AmpereError EVIDENCE_MALFORMED, LIMIT_EXCEEDED
 */
export function evidenceFiles(folder: string): EvidenceSink {
  return async (bytes) => {
    const name = toHex(fromBase64url(conflictOf(parseEvidence(bytes))))
    const path = join(evidenceFolder(folder), `${name}.json`)
    if (existsSync(path)) return path
    makeFolder(evidenceFolder(folder))
    if (readdirSync(evidenceFolder(folder)).length >= MAX_EVIDENCE_FILES)
      throw new AmpereError('LIMIT_EXCEEDED', `${MAX_EVIDENCE_FILES} evidence files are kept already`)
    const temporary = `${path}.${process.pid}.tmp`
    writeFileSync(temporary, bytes, { mode: 0o600, flush: true })
    renameSync(temporary, path)
    return path
  }
}

/** Keeps a file, unless as many are kept as may be: what is there is still to be listed. */
export async function keepIfRoom(keep: EvidenceSink, evidence: Uint8Array): Promise<void> {
  try {
    await keep(evidence)
  } catch (error) {
    if (!isAmpereError(error, 'LIMIT_EXCEEDED')) throw error
  }
}

/** The evidence files of a data folder, by name; what is too large to be one is passed over. */
export function readEvidenceFiles(
  folder: string,
): readonly { readonly file: string; readonly bytes: Uint8Array }[] {
  const kept = evidenceFolder(folder)
  if (!existsSync(kept)) return []
  return readdirSync(kept)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => join(kept, name))
    .filter((file) => statSync(file).size <= MAX_EVIDENCE_BYTES)
    .map((file) => ({ file, bytes: readFileSync(file) }))
}
