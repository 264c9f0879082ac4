// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import { isAmpereError } from '../../errors.ts'
import { parseCheckpoint } from '../../log/note/checkpoint.ts'
import { parseNote, type NoteSignature } from '../../log/note/note.ts'
import type { Policy } from '../../log/policy/definitions.ts'
import { quorumOf } from '../../log/policy/quorum.ts'
import type { ReadTable, Row } from '../../ports/table.ts'
import { WITNESSED_PARTITION } from '../store/log.ts'
import { heightKey } from '../store/rows.ts'

/** The checkpoint to make a receipt with, as a note; null where there is none. */
export interface Kept {
  /** It has the quorum of the policy. */
  readonly witnessed: string | null
  /** Where none has: the first that was kept, under an earlier policy. */
  readonly earlier: string | null
}

/** A kept checkpoint as it is read. */
interface Read {
  readonly size: number
  /** Null where it is of no use. */
  readonly note: string | null
  readonly hasQuorum: boolean
}

/**
 * Finds the first kept checkpoint of a size or more that has the quorum of the policy. Those that were kept before the policy
 * was changed have it not, so that where the change is, is searched by halves and remembered: after each change some
 * twenty rows are read once, however many are kept. Where a policy was changed back, what it finds has the quorum and need
 * not be the first.
 *
 * No signature is verified: the cosigner did before it kept them, audits do, and so does everybody who is given a receipt.
 */
export function keptFinder(checkpoints: ReadTable, policy: Policy | null): (size: number) => Promise<Kept> {
  const read = async (from: number | null): Promise<Read | null> => {
    const range = from === null ? { reverse: true } : { from: heightKey(from) }
    const [row] = await checkpoints.range(WITNESSED_PARTITION, { ...range, limit: 1 })
    return row ? readRow(row, policy) : null
  }
  // The last size known to be without, and the first with, for which nothing is between.
  let change: { readonly without: number; readonly size: number } | null = null
  return async (size) => {
    const first = await read(size)
    if (!first) return { witnessed: null, earlier: null }
    if (first.hasQuorum) return { witnessed: first.note, earlier: null }
    const earlier = first.note
    if (!policy || policy.quorum === null) return { witnessed: null, earlier }
    if (change && first.size <= change.without) {
      const known = await read(change.size)
      if (known?.hasQuorum === true) return { witnessed: known.note, earlier: null }
    }
    const found = await search(read, first)
    if (!found) return { witnessed: null, earlier }
    change = { without: found.without, size: found.kept.size }
    return { witnessed: found.kept.note, earlier: null }
  }
}

/** By halves, from one without the quorum to the newest, which must have it. */
async function search(
  read: (from: number | null) => Promise<Read | null>,
  first: Read,
): Promise<{ readonly kept: Read; readonly without: number } | null> {
  let kept = await read(null)
  if (kept?.hasQuorum !== true) return null
  let low = first.size + 1
  for (let high = kept.size; low < high;) {
    const middle = low + Math.floor((high - low) / 2)
    const found = await read(middle)
    if (found?.hasQuorum === true) {
      kept = found
      high = middle
    } else low = (found?.size ?? middle) + 1
  }
  return { kept, without: low - 1 }
}

function readRow({ key, value }: Row, policy: Policy | null): Read {
  const size = Number(key)
  try {
    const note = fromUtf8(value)
    const { text, signatures } = parseNote(note)
    const { origin, size: stated } = parseCheckpoint(text)
    if (stated !== size) return { size, note: null, hasQuorum: false }
    // Without a line by anybody else it was robbed of them, and what is published is worth more.
    const isCosigned = signatures.some(({ name }) => name !== origin)
    return { size, note: isCosigned ? note : null, hasQuorum: claimsQuorum(signatures, policy) }
  } catch (error) {
    // One that was damaged: a later one does as well.
    if (isAmpereError(error)) return { size, note: null, hasQuorum: false }
    throw error
  }
}

/** Whether there are lines of enough witnesses, by the names and IDs of their keys. */
function claimsQuorum(signatures: readonly NoteSignature[], policy: Policy | null): boolean {
  if (!policy || policy.quorum === null) return false
  const cosigned = policy.witnesses
    .map(({ key }) => key)
    .filter((key) => signatures.some(({ name, id }) => name === key.name && id === key.id))
  return quorumOf(policy, cosigned).satisfied
}
