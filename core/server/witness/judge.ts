// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../bytes/frame.ts'
import type { AddCheckpoint } from '../../log/add-checkpoint.ts'
import { merkleRoot } from '../../log/merkle.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'
import { consistencyProofLength, verifyConsistency } from '../../log/proof.ts'

/** Why a checkpoint that its log signed is not cosigned, by the status that c2sp.org/tlog-witness gives it. */
export interface Refusal {
  readonly status: 400 | 409 | 422
  readonly reason: string
}

/**
 * What a checkpoint that its log signed says against the log. `same-size`: another root at the size that was cosigned,
 * which proves by itself that the log has two histories. `unproved`: a proof with the right number of hashes does not
 * verify; that is a lead and no proof, because anybody can send a good checkpoint with a bad proof.
 */
export type Contradiction = 'same-size' | 'unproved'

/** What comes of a checkpoint: no refusal means that it is to be cosigned. */
export interface Judgement {
  readonly refusal: Refusal | null
  readonly contradiction: Contradiction | null
}

/** Judges what a log signed by what was cosigned before, in the order of c2sp.org/tlog-witness. */
export function judge(
  before: Checkpoint | null,
  request: Pick<AddCheckpoint, 'oldSize' | 'hashes'>,
  checkpoint: Checkpoint,
): Judgement {
  const refusal = refusalOf(before, request, checkpoint)
  if (!refusal || !before) return { refusal, contradiction: null }
  // Whatever is wrong with the request, two signed roots of one size are what they are.
  if (isSameSize(before, checkpoint)) return { refusal, contradiction: 'same-size' }
  const isLead = refusal.status === 422 && hasShape(request, checkpoint.size)
  return { refusal, contradiction: isLead ? 'unproved' : null }
}

function refusalOf(
  before: Checkpoint | null,
  { oldSize, hashes }: Pick<AddCheckpoint, 'oldSize' | 'hashes'>,
  { size, root }: Checkpoint,
): Refusal | null {
  if (oldSize > size) return { status: 400, reason: 'the old size is larger than that of the checkpoint' }
  if (oldSize !== (before?.size ?? 0)) return { status: 409, reason: 'the old size is not the cosigned one' }
  if (size === 0 && !equalBytes(root, merkleRoot([]))) return refused('an empty tree has another root')
  if (oldSize === 0 && hashes.length > 0) return refused('a proof from the empty tree has hashes')
  if (oldSize === 0 || !before) return null
  if (oldSize === size && !equalBytes(root, before.root))
    return refused('a tree of that size has another root')
  const isConsistent = verifyConsistency({
    size1: oldSize,
    root1: before.root,
    size2: size,
    root2: root,
    proof: hashes,
  })
  return isConsistent ? null : refused('the consistency proof does not verify')
}

function refused(reason: string): Refusal {
  return { status: 422, reason }
}

function isSameSize(before: Checkpoint, { size, root }: Checkpoint): boolean {
  return size === before.size && !equalBytes(root, before.root)
}

function hasShape({ oldSize, hashes }: Pick<AddCheckpoint, 'oldSize' | 'hashes'>, size: number): boolean {
  return oldSize > 0 && oldSize < size && hashes.length === consistencyProofLength(oldSize, size)
}
