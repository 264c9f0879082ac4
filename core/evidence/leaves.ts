// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../bytes/encoding.ts'
import { equalBytes } from '../bytes/frame.ts'
import { compactHash, decodeLeaf, encodeLeaf, isLeaf } from '../block/leaf.ts'
import { parseBlock, type ParsedBlock } from '../block/open-block.ts'
import { brokenRule } from '../errors.ts'
import { leafHash } from '../log/merkle.ts'
import { verifyInclusion } from '../log/proof.ts'
import { parseTlogProof } from '../log/tlog-proof.ts'
import { openSigned } from './checkpoints.ts'
import type { EvidenceOf } from './format.ts'
import type { Trusted } from './trust.ts'

/**
 * Two blocks of one chain and height in one log. That the log holds a block's hash is the home's own act, so the
 * authors' signatures, who may well have tried two blocks, say nothing about it. @returns what is proved
 */
export async function judgeBlocks(evidence: EvidenceOf<'blocks'>, trusted: Trusted): Promise<string> {
  const { a, b } = await loggedBlocks(evidence, trusted)
  if (a.block.height !== b.block.height) throw brokenRule('conflict', 'the blocks are of two heights')
  // Signed again, a block is the same block.
  if (a.id === b.id) throw brokenRule('conflict', 'both are the same block')
  return `the log ${evidence.origin} holds two different blocks at height ${a.block.height} of chain ${a.chain}: a fork`
}

/** Two blocks of one chain in the other order than that of their heights. @returns what is proved */
export async function judgeOrder(evidence: EvidenceOf<'order'>, trusted: Trusted): Promise<string> {
  const { a, b, indexes } = await loggedBlocks(evidence, trusted)
  const heights = a.block.height - b.block.height
  if (heights === 0 || Math.sign(heights) === Math.sign(indexes[0] - indexes[1]) || indexes[0] === indexes[1])
    throw brokenRule('conflict', 'the log entries are in the order of the heights')
  const [first, then] = heights > 0 ? [a, b] : [b, a]
  return `the log ${evidence.origin} holds height ${first.block.height} of chain ${first.chain} before height ${then.block.height}: out of order`
}

/** One label at two indexes. It names no chain: whoever has no label key learns of the fork and not of whom. */
export async function judgeLabels(
  { origin, entries, receipts }: EvidenceOf<'labels'>,
  trusted: Trusted,
): Promise<string> {
  const leaves = entries.map(fromBase64url)
  const [first, second] = leaves
  if (!first || !second || !equalBytes(decodeLeaf(first).label, decodeLeaf(second).label))
    throw brokenRule('conflict', 'the log entries have two labels')
  const indexes = [
    await indexOf(first, receipts[0], origin, trusted),
    await indexOf(second, receipts[1], origin, trusted),
  ]
  if (indexes[0] === indexes[1]) throw brokenRule('conflict', 'both are the entry at one index')
  return `the log ${origin} holds one label at the indexes ${indexes.join(' and ')}: a fork of one chain`
}

/** A leaf that is none of this protocol: nothing that the home took in comes to it. @returns what is proved */
export async function judgeLeafForm(
  { origin, entry, receipt }: EvidenceOf<'leaf-form'>,
  trusted: Trusted,
): Promise<string> {
  const leaf = fromBase64url(entry)
  if (isLeaf(leaf)) throw brokenRule('conflict', 'the entry is a log entry')
  const index = await indexOf(leaf, receipt, origin, trusted)
  return `the log ${origin} holds at index ${index} an entry of ${leaf.length} bytes that is no log entry`
}

async function loggedBlocks(
  { origin, blocks, receipts }: EvidenceOf<'blocks' | 'order'>,
  trusted: Trusted,
): Promise<{
  readonly a: ParsedBlock
  readonly b: ParsedBlock
  readonly indexes: readonly [number, number]
}> {
  const [a, b] = [parseBlock(blocks[0]), parseBlock(blocks[1])]
  if (a.chain !== b.chain) throw brokenRule('conflict', 'the blocks are of two chains')
  const indexes = [
    await indexOf(blocks[0], receipts[0], origin, trusted),
    await indexOf(blocks[1], receipts[1], origin, trusted),
  ] as const
  return { a, b, indexes }
}

/** Where a receipt proves a log entry, or that of a block, to be. */
async function indexOf(
  of: Uint8Array | string,
  receipt: string,
  origin: string,
  trusted: Trusted,
): Promise<number> {
  const { extra, index, hashes, note } = parseTlogProof(receipt)
  const { size, root } = await openSigned(note, origin, trusted)
  const entry =
    typeof of === 'string' ? encodeLeaf({ label: extra ?? new Uint8Array(0), hash: compactHash(of) }) : of
  if (!verifyInclusion({ leaf: leafHash(entry), index, size, proof: hashes, root }))
    throw brokenRule('proof', 'a log entry is not in the tree of its checkpoint at that index')
  return index
}
