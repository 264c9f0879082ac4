// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../bytes/encoding.ts'
import { formatTlogProof } from '../log/tlog-proof.ts'
import { evidenceOfCheckpoints, evidenceOfLabels, evidenceOfLeafForm } from './build.ts'
import { MAX_LOG_KEYS } from './format.ts'

/** What a monitor met, as it keeps it. */
export interface FoundOfLog {
  /** In the words of a monitor's findings. */
  readonly kind: string
  /** Of the log. */
  readonly origin: string
  readonly notes: readonly string[]
  /** Log entries in the tree of the first note, with their inclusion proofs; all in base64url. */
  readonly leaves: readonly {
    readonly index: number
    readonly entry: string
    readonly proof: readonly string[] | null
  }[]
  /** From the first note's size, of the second one's tree, in base64url. */
  readonly hashes: readonly string[]
}

/**
 * What a monitor found, as a file for others, who have no copy of the log.
 * @param log verifier keys of the log
 * @returns null for leads, and for proofs without the tiles that show them
 * @throws AmpereError EVIDENCE_MALFORMED, LOG_MALFORMED
 */
export function evidenceOfFinding(found: FoundOfLog, log: readonly string[]): Uint8Array | null {
  const of = { origin: found.origin, log: log.slice(0, MAX_LOG_KEYS) }
  const [first, second] = found.notes
  if (first === undefined) return null
  const leaves = provenLeaves(first, found)
  if (found.kind === 'duplicate-label')
    return leaves[0] && leaves[1] ? evidenceOfLabels(of, [leaves[0], leaves[1]]) : null
  if (found.kind === 'leaf-form') return leaves[0] ? evidenceOfLeafForm(of, leaves[0]) : null
  if (second === undefined) return null
  if (found.kind === 'same-size') return evidenceOfCheckpoints(of, [first, second], { how: 'root' })
  if (found.kind !== 'fork') return null
  const hashes = found.hashes.map(fromBase64url)
  return evidenceOfCheckpoints(of, [first, second], { how: 'prefix', hashes })
}

/** The entries with their receipts, of those that the log served tiles for. */
function provenLeaves(
  note: string,
  { leaves }: FoundOfLog,
): readonly { readonly entry: Uint8Array; readonly receipt: string }[] {
  return leaves.flatMap(({ index, entry, proof }) => {
    if (!proof) return []
    const receipt = formatTlogProof({ extra: null, index, hashes: proof.map(fromBase64url), note })
    return [{ entry: fromBase64url(entry), receipt }]
  })
}
