// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { count, parseWith, timestamp } from '../../bytes/schema.ts'
import { toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import { sha256 } from '../../crypto/hash.ts'
import type { PublicJwk } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import { merkleRoot } from '../../log/merkle.ts'
import { checkpointIn, type Checkpoint } from '../../log/note/checkpoint.ts'
import { logSigner, type LogKey, type LogSigner } from '../../log/note/key.ts'
import { formatNote } from '../../log/note/note.ts'
import { openCheckpoint, signCheckpoint } from '../../log/note/open-checkpoint.ts'
import type { WriteTable } from '../../ports/table.ts'
import { CLOCK_TOLERANCE_MS } from '../../api/limits.ts'
import { logOriginOf } from '../../api/log.ts'
import type { Home } from '../home.ts'
import { LOG_PARTITION, PUBLISHED_KEY, TREE_KEY } from '../store/log.ts'
import type { PastSize } from './labels/past-sizes.ts'
import type { SequencerPorts } from './needs.ts'

/** The newest tree that was committed: the row that sequencers compare and swap. */
export interface Tree {
  readonly checkpoint: Checkpoint
  /** The checkpoint as signed. */
  readonly note: string
  /** POSIX seconds at which it was signed; never less than before. */
  readonly signedAt: number
  /** Name of the staging bundle with what this tree needs; null for the empty tree. */
  readonly staging: string | null
  /** The bundle before it, which is of no more use. */
  readonly discard: string | null
  /** Sizes of earlier trees, oldest first: so that a time leads to where in the log to look. */
  readonly pastSizes: readonly PastSize[]
  /** Everything that was marked before this time was looked at, and logged if there was something to log. */
  readonly cursor: Timestamp
  /**
   * Signature with the log's Ed25519 key over the note, `signedAt`, `pastSizes` and `cursor`, in base64url: the note alone
   * does not say them. None in a restored home until its first commit.
   */
  readonly seal?: string | null
}

/** A tree as it was read: `version` is what a commit compares. */
export interface LoadedTree {
  readonly tree: Tree
  readonly version: string
}

const treeSchema = v.strictObject({
  v: v.literal(1),
  note: v.string(),
  signedAt: count,
  staging: v.nullable(v.string()),
  discard: v.nullable(v.string()),
  pastSizes: v.optional(v.array(v.strictObject({ signedAt: count, size: count })), []),
  cursor: timestamp,
  seal: v.optional(v.nullable(v.string()), null),
})

/** The committed tree, or null before there is one. @throws AmpereError STORE_CORRUPT */
export async function loadTree(checkpoints: Pick<WriteTable, 'get'>): Promise<LoadedTree | null> {
  const row = await checkpoints.get(LOG_PARTITION, TREE_KEY)
  if (!row) return null
  try {
    const { note, ...said } = parseWith(treeSchema, parseCanonical(row.value), 'STORE_CORRUPT', 'tree')
    const checkpoint = checkpointIn(note)
    const { v: _, ...rest } = said
    return { tree: { checkpoint, note, ...rest }, version: row.version }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'the committed tree of the log was changed', { cause })
  }
}

/**
 * Commits a tree: the one step that makes leaves logged. Nothing is committed when it answers null; when it throws,
 * that is not known, and only reading again tells.
 */
export async function commitTree(
  checkpoints: WriteTable,
  expected: string | null,
  tree: Tree,
): Promise<string | null> {
  const { note, signedAt, staging, discard, pastSizes, cursor, seal = null } = tree
  const value = canonicalBytes({
    v: 1,
    note,
    signedAt,
    staging,
    discard,
    pastSizes: plain(pastSizes),
    cursor,
    seal,
  })
  return checkpoints.swap(LOG_PARTITION, TREE_KEY, expected, value)
}

function plain(sizes: readonly PastSize[]): { signedAt: number; size: number }[] {
  return sizes.map(({ signedAt, size }) => ({ signedAt, size }))
}

/** First line of what is sealed. No checkpoint begins so: its second line would be a size. */
const SEALED = 'ampere-committed-tree/v2'

/** A digest, whatever the tree holds: key services sign 4,096 bytes at most with Ed25519, and past sizes have more after some weeks. */
function sealedBytes({ note, signedAt, pastSizes, cursor }: Sealed): Uint8Array {
  const sealed = canonicalBytes({ note, signedAt, pastSizes: plain(pastSizes), cursor })
  return utf8(`${SEALED}\n${toBase64url(sha256(sealed))}`)
}

type Sealed = Pick<Tree, 'note' | 'signedAt' | 'pastSizes' | 'cursor'>

/** The same tree with its seal. @throws AmpereError KEY_UNAVAILABLE */
export async function sealTree<T extends Sealed>(
  { keys }: Pick<SequencerPorts, 'keys'>,
  tree: T,
): Promise<T & { readonly seal: string }> {
  return { ...tree, seal: toBase64url(await keys.log.sign(sealedBytes(tree))) }
}

/**
 * A tree as far as the keys of the log vouch for it. Whoever can write its row could else say where in the log nobody needs
 * to look, or a time before which nothing may be signed. Without a seal that holds, past sizes and the cursor are
 * forgotten, which costs reads; the time is in the note.
 * @throws AmpereError STORE_CORRUPT when the log did not sign the note at that time
 */
export async function provedTree(
  ports: Pick<SequencerPorts, 'keys'>,
  { verifiers }: Pick<Home, 'verifiers'>,
  tree: Tree,
): Promise<Tree> {
  const { note, signedAt } = tree
  if (await holdsSeal({ verifiers }, tree, ports.keys.log.publicKey)) return tree
  const keys = { logs: logKeys(ports, tree.checkpoint.origin), cosigners: [], eachType: true }
  try {
    const opened = await openCheckpoint(note, keys, verifiers)
    if (opened.signedAt.includes(signedAt))
      return { ...tree, pastSizes: [], cursor: toTimestamp(0), seal: null }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'the log did not sign its committed tree', { cause })
  }
  throw new AmpereError('STORE_CORRUPT', 'the time of the committed tree was changed')
}

/** Whether a tree has a seal that the log's Ed25519 key made of it. */
export async function holdsSeal(
  { verifiers }: Pick<Home, 'verifiers'>,
  tree: Tree,
  publicKey: PublicJwk,
): Promise<boolean> {
  const { seal } = tree
  return seal ? (await verifiers.get(publicKey)).verify(sealedBytes(tree), bytesIn(seal)) : false
}

function bytesIn(seal: string): Uint8Array {
  try {
    return fromBase64url(seal)
  } catch {
    return new Uint8Array(0)
  }
}

/** Signs a checkpoint with both keys of the log. `signedAt` is POSIX seconds. */
export async function signTree(
  { keys }: Pick<SequencerPorts, 'keys'>,
  checkpoint: Checkpoint,
  signedAt: number,
): Promise<string> {
  return formatNote(await signCheckpoint(checkpoint, logSigners(keys, checkpoint.origin), signedAt))
}

/**
 * Signs a checkpoint with the time that it is. One that is committed stays, for no later tree has an earlier one, so
 * that one wrong reading of the clock must not be among them.
 * @param atLeast POSIX seconds of the tree before
 * @throws AmpereError CLOCK_SKEW when the clock leapt meanwhile
 */
export async function signTreeNow(
  ports: Pick<SequencerPorts, 'keys' | 'now'>,
  checkpoint: Checkpoint,
  atLeast: number,
): Promise<Pick<Tree, 'note' | 'signedAt'>> {
  const nowMs = ports.now()
  const signedAt = Math.max(atLeast, Math.floor(nowMs / 1000))
  const note = await signTree(ports, checkpoint, signedAt)
  if (Math.abs(ports.now() - nowMs) > CLOCK_TOLERANCE_MS)
    throw new AmpereError('CLOCK_SKEW', 'the clock leapt while a tree was signed')
  return { note, signedAt }
}

/** The keys of a log, as policies name them: Ed25519 (0x01) and ML-DSA-44 (0x06) under its origin. */
export function logKeys({ keys }: Pick<SequencerPorts, 'keys'>, origin: string): LogKey[] {
  return logSigners(keys, origin).map(({ key }) => key)
}

function logSigners(keys: SequencerPorts['keys'], origin: string): LogSigner[] {
  return [
    logSigner(origin, 'Ed25519', keys.log),
    logSigner(origin, 'cosignature-ML-DSA-44', keys['log-quantum']),
  ]
}

/** The tree before anything was logged. */
export async function emptyTree(
  ports: Pick<SequencerPorts, 'keys' | 'now'>,
  home: Pick<Home, 'origin'>,
  cursor: Timestamp,
): Promise<Tree> {
  const checkpoint = { origin: logOriginOf(home.origin), size: 0, root: merkleRoot([]), extensions: [] }
  const { note, signedAt } = await signTreeNow(ports, checkpoint, 0)
  return sealTree(ports, { checkpoint, note, signedAt, staging: null, discard: null, pastSizes: [], cursor })
}

/**
 * Publishes a committed tree whose files are all stored. What is published already and is as large stays: it may carry
 * cosignatures.
 * @throws AmpereError STORE_CORRUPT when a larger tree, or another of the same size, was published: the store lost commits
 */
export async function publish(checkpoints: WriteTable, { checkpoint, note }: Tree): Promise<void> {
  for (;;) {
    const row = await checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
    const before = row && checkpointIn(fromUtf8(row.value))
    if (before?.size === checkpoint.size) {
      if (!equalBytes(before.root, checkpoint.root)) throw lostCommits()
      return
    }
    // Another sequencer may have come further; whether the store lost commits, the committed tree tells.
    if (before && before.size > checkpoint.size) {
      const committed = await loadTree(checkpoints)
      if (!committed || committed.tree.checkpoint.size < before.size) throw lostCommits()
      return
    }
    if (await checkpoints.swap(LOG_PARTITION, PUBLISHED_KEY, row?.version ?? null, utf8(note))) return
  }
}

function lostCommits(): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'a tree was published that is not committed any more')
}
