// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../bytes/encoding.ts'
import { equalBytes } from '../bytes/frame.ts'
import { brokenRule } from '../errors.ts'
import type { Checkpoint } from '../log/note/checkpoint.ts'
import { openCheckpoint } from '../log/note/open-checkpoint.ts'
import { prefixRoot, verifyInclusion } from '../log/proof.ts'
import type { EvidenceOf } from './format.ts'
import type { Trusted } from './trust.ts'

type Contradiction = EvidenceOf<'checkpoints'>['contradiction']

/** Two checkpoints of one log that no tree has both. @returns what is proved */
export async function judgeCheckpoints(
  { origin, notes, contradiction }: EvidenceOf<'checkpoints'>,
  trusted: Trusted,
): Promise<string> {
  const [a, b] = [await openSigned(notes[0], origin, trusted), await openSigned(notes[1], origin, trusted)]
  const [small, large] = a.size <= b.size ? [a, b] : [b, a]
  const signed = `the log ${origin} signed`
  if (contradiction.how === 'root') {
    if (a.size !== b.size || equalBytes(a.root, b.root))
      throw brokenRule('conflict', 'the checkpoints are not of one size with two roots')
    return `${signed} two trees of ${a.size} leaves with different roots: a split view`
  }
  if (contradiction.how === 'prefix') checkPrefix(small, large, contradiction.hashes)
  // The proofs are in the order of the notes.
  else checkLeaf([a, b], contradiction)
  return `${signed} a tree of ${small.size} leaves and one of ${large.size} that does not begin with it: a split view`
}

/** Opens a checkpoint of the log. @throws AmpereError VERIFICATION_FAILED (rule `origin`) and those of `openCheckpoint` */
export async function openSigned(
  note: string,
  origin: string,
  { logKeys, verifiers }: Trusted,
): Promise<Checkpoint> {
  const { checkpoint } = await openCheckpoint(note, { logs: logKeys, cosigners: [] }, verifiers)
  if (checkpoint.origin !== origin) throw brokenRule('origin', 'a checkpoint is of another log')
  return checkpoint
}

function checkPrefix(small: Checkpoint, large: Checkpoint, hashes: readonly string[]): void {
  const { size, root } = large
  const proof = hashes.map(fromBase64url)
  const prefix = prefixRoot({ size1: small.size, size2: size, root2: root, proof })
  if (!prefix) throw brokenRule('proof', 'the proof does not lead to the root of the larger tree')
  if (equalBytes(prefix, small.root)) throw brokenRule('conflict', 'the larger tree begins with the smaller')
}

function checkLeaf(
  checkpoints: readonly [Checkpoint, Checkpoint],
  { index, leaves, proofs }: Extract<Contradiction, { readonly how: 'leaf' }>,
): void {
  for (const [i, { size, root }] of checkpoints.entries()) {
    const leaf = fromBase64url(leaves[i] ?? '')
    const proof = (proofs[i] ?? []).map(fromBase64url)
    if (!verifyInclusion({ leaf, index, size, proof, root }))
      throw brokenRule('proof', 'a leaf is not in the tree of its checkpoint at that index')
  }
  if (leaves[0] === leaves[1]) throw brokenRule('conflict', 'both trees have the same leaf at that index')
}
