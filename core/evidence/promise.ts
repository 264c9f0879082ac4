// SPDX-License-Identifier: Apache-2.0
import { parseCanonical } from '../bytes/canonical-json.ts'
import { fromBase64url, utf8 } from '../bytes/encoding.ts'
import { equalBytes } from '../bytes/frame.ts'
import { timestampMs, toTimestamp } from '../bytes/timestamp.ts'
import { CLOCK_TOLERANCE_MS, LOGGED_WITHIN_MS } from '../api/limits.ts'
import { logOriginOf } from '../api/log.ts'
import { decodeLeaf, leafLabel } from '../block/leaf.ts'
import { parseBlock, type ParsedBlock } from '../block/open-block.ts'
import { digestOf } from '../crypto/hash.ts'
import { brokenRule } from '../errors.ts'
import { EMPTY_FRONTIER, extendFrontier, frontierRoot, isFrontier, type Frontier } from '../log/frontier.ts'
import { leafHash } from '../log/merkle.ts'
import { verifyCheckpointSignature } from '../log/note/cosignature.ts'
import type { Checkpoint } from '../log/note/checkpoint.ts'
import { parseNote } from '../log/note/note.ts'
import { openSigned } from './checkpoints.ts'
import type { EvidenceOf } from './format.ts'
import { openStatement } from './heads.ts'
import type { Trusted } from './trust.ts'

/**
 * How long after the head statement the later tree must have been signed, in milliseconds: the promise, and what the
 * clocks of the computers of one home may differ by, of which one states heads and another signs trees.
 */
export const BROKEN_AFTER_MS = LOGGED_WITHIN_MS + CLOCK_TOLERANCE_MS
/**
 * How long before the block's own time the earlier tree must have been signed, in milliseconds: as far ahead of its clock
 * as a home admits blocks, what the clocks of its computers may differ by, and the second in which it was signed, of
 * which a signature states the beginning.
 */
export const BEFORE_BLOCK_MS = 2 * CLOCK_TOLERANCE_MS + 1000
/** The last second that a timestamp can say. */
const MAX_SECONDS = 253_402_300_799

type Promised = EvidenceOf<'promise'>

/** A block that a head statement vouched for, and that a later tree of the home's log lacks. @returns what is proved */
export async function judgePromise(evidence: Promised, trusted: Trusted): Promise<string> {
  const { origin } = evidence
  const head = await openStatement(evidence.head, origin, trusted)
  // A mirror keeps what another deployment's log has; its own log promises nothing of it.
  if (head.durability === 'mirrored') throw brokenRule('conflict', 'a mirror promises no logging')
  const block = parseBlock(evidence.block)
  if (block.id !== head.block || block.chain !== head.chain || block.block.height !== head.height)
    throw brokenRule('block', 'the block is not the one that the head statement names')
  const label = leafLabel(labelKeyOf(evidence, block), block.chain, block.block.height)
  const to = await openTimed(evidence.to, logOriginOf(origin), trusted)
  if (to.earliestMs <= timestampMs(head.time) + BROKEN_AFTER_MS)
    throw brokenRule(
      'conflict',
      `the tree was not signed more than ${BROKEN_AFTER_MS} ms after the head statement`,
    )
  const entries = evidence.entries.map(fromBase64url)
  const end = extendFrontier(await startOf(evidence, block, trusted), entries.map(leafHash))
  if (end.size !== to.checkpoint.size || !equalBytes(frontierRoot(end), to.checkpoint.root))
    throw brokenRule('proof', 'the entries do not lead to the root of the later tree')
  if (entries.some((entry) => equalBytes(decodeLeaf(entry).label, label)))
    throw brokenRule('conflict', 'the log has an entry for that height of the chain')
  const signed = toTimestamp(to.earliestMs)
  return `the home at ${origin} stated height ${head.height} of chain ${head.chain} at ${head.time}, and its log, as it signed it at ${signed}, has no entry for it: a promise that was not kept`
}

/** The label key that the state before the block names; the block names that state through the one before it. */
function labelKeyOf({ parent, labelKey }: Promised, { block }: ParsedBlock): Uint8Array {
  const named = block.type === 'genesis' ? block.body.labelKeyHash : stateBefore(parent, block.prev)
  if ((block.type === 'genesis') !== (parent === null))
    throw brokenRule('label-key', 'a genesis has no block before it, and every other block one')
  const key = fromBase64url(labelKey)
  if (digestOf(key) !== named)
    throw brokenRule('label-key', 'the label key is not the one that the chain names')
  return key
}

function stateBefore(parent: Promised['parent'], prev: string): unknown {
  const before = parent && parseBlock(parent.block)
  if (!parent || before?.id !== prev)
    throw brokenRule('label-key', 'the block before is not the one that is named')
  const bytes = utf8(parent.state)
  if (digestOf(bytes) !== before.block.state)
    throw brokenRule('label-key', 'the state is not the one that the block before names')
  const state = parseCanonical(bytes)
  return typeof state === 'object' && state !== null && 'labelKeyHash' in state ? state.labelKeyHash : null
}

/**
 * Where the entries begin. A tree that the log signed so long before the block's own time cannot hold it: the home
 * admits no block that is so far ahead of its clock.
 */
async function startOf(
  { origin, from }: Promised,
  { block }: ParsedBlock,
  trusted: Trusted,
): Promise<Frontier> {
  if (!from) return EMPTY_FRONTIER
  const { checkpoint, latestMs } = await openTimed(from.note, logOriginOf(origin), trusted)
  if (latestMs + BEFORE_BLOCK_MS >= timestampMs(block.time))
    throw brokenRule('start', 'the earlier tree may hold the block already')
  const frontier = { size: checkpoint.size, hashes: from.frontier.map(fromBase64url) }
  if (!isFrontier(frontier) || !equalBytes(frontierRoot(frontier), checkpoint.root))
    throw brokenRule('proof', 'the frontier is not that of the earlier tree')
  return frontier
}

/** A checkpoint with the times of signing that its log states, in milliseconds: of several keys the outer ones. */
interface Timed {
  readonly checkpoint: Checkpoint
  readonly earliestMs: number
  readonly latestMs: number
}

/**
 * A checkpoint and when its log says that it signed it, to the second. Times of witnesses do not count: anybody can
 * have an old checkpoint cosigned anew by a witness that saw no later one.
 */
async function openTimed(text: string, origin: string, trusted: Trusted): Promise<Timed> {
  const checkpoint = await openSigned(text, origin, trusted)
  const note = parseNote(text)
  const times: number[] = []
  for (const key of trusted.logKeys.filter(({ type }) => type === 'cosignature-ML-DSA-44')) {
    for (const signature of note.signatures.filter(({ name, id }) => name === key.name && id === key.id)) {
      const verified = await verifyCheckpointSignature(key, note.text, signature, trusted.verifiers)
      if (verified?.time) times.push(verified.time)
    }
  }
  if (times.length === 0 || times.some((time) => time > MAX_SECONDS))
    throw brokenRule('time', 'no pinned key of the log says when it signed a checkpoint')
  return { checkpoint, earliestMs: Math.min(...times) * 1000, latestMs: Math.max(...times) * 1000 }
}
