// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../../bytes/encoding.ts'
import { equalBytes } from '../../../bytes/frame.ts'
import type { Timestamp } from '../../../bytes/timestamp.ts'
import { isAmpereError } from '../../../errors.ts'
import { LOGGED_WITHIN_MS } from '../../../api/limits.ts'
import { logOriginOf } from '../../../api/log.ts'
import { merkleRoot } from '../../../log/merkle.ts'
import type { Checkpoint } from '../../../log/note/checkpoint.ts'
import { publicJwkOf, type LogKey } from '../../../log/note/key.ts'
import { parseNote } from '../../../log/note/note.ts'
import { openCheckpoint } from '../../../log/note/open-checkpoint.ts'
import { quorumOf } from '../../../log/policy/quorum.ts'
import type { Row } from '../../../ports/table.ts'
import type { Home } from '../../home.ts'
import { leadsTo } from '../../sequence/staging.ts'
import { holdsSeal, loadTree, type Tree } from '../../sequence/tree.ts'
import { LOG_PARTITION, PUBLISHED_KEY, TREE_KEY, WITNESSED_PARTITION } from '../../store/log.ts'
import { heightKey } from '../../store/rows.ts'
import type { LogAuditPorts, LogTrust } from './needs.ts'
import type { LogNotes, Remedy } from './report.ts'

const TREE_ROW = `checkpoints/${LOG_PARTITION}/${TREE_KEY}`
const PUBLISHED_ROW = `checkpoints/${LOG_PARTITION}/${PUBLISHED_KEY}`

/** A checkpoint whose signatures verified. */
export interface Signed {
  readonly checkpoint: Checkpoint
  readonly note: string
  /** When the log says that it signed it, by each of its signatures that says so, in POSIX seconds. */
  readonly signedAt: readonly number[]
  /** Witnesses of the policy whose cosignatures verified. */
  readonly cosignedBy: readonly LogKey[]
}

/** What signed checkpoints say the log is. */
export interface Anchors {
  /** The tree to rebuild; null while there is none, or none that its log signed. */
  readonly tree: Signed | null
  /** What was marked before this time is in this tree: from where a later audit may begin. Null where that is not known. */
  readonly cursor: Timestamp | null
}

interface Context {
  readonly ports: LogAuditPorts
  readonly home: Pick<Home, 'origin' | 'verifiers'>
  readonly trust: LogTrust
  readonly notes: LogNotes
}

/**
 * Reads the committed and the published checkpoint. What is published is rebuilt, because all of its files are stored;
 * the committed one where it should have been published long ago, or where that is damaged.
 */
export async function loadAnchors(context: Context): Promise<Anchors> {
  const { ports, notes } = context
  // Before the committed one: read afterwards, it could be newer only because time passed.
  const row = await ports.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  const published = row && (await open(context, row.value))
  const committed = await readCommitted(context, row !== null)
  const remedy = committed && (await publishing(context, committed.signed))
  if (typeof published === 'string') notes.find('published-row', 'tampered', PUBLISHED_ROW, published, remedy)
  if (!committed) return { tree: typeof published === 'string' ? null : published, cursor: null }
  const { tree, signed, cursor } = committed
  const isDue = ports.now() - tree.signedAt * 1000 > LOGGED_WITHIN_MS
  if (published === null && (isDue || tree.staging === null || tree.discard !== null))
    notes.find('published-row', 'missing', PUBLISHED_ROW, 'the published checkpoint is not stored', remedy)
  if (published === null || typeof published === 'string') return { tree: signed, cursor }
  const { size } = signed.checkpoint
  if (size < published.checkpoint.size) {
    const detail = `${published.checkpoint.size} leaves are published, ${size} are committed`
    notes.find('rolled-back', 'missing', TREE_ROW, detail)
  } else if (size === published.checkpoint.size) {
    if (!equalBytes(signed.checkpoint.root, published.checkpoint.root))
      notes.find('forked', 'tampered', PUBLISHED_ROW, 'the log signed two roots for one size')
  } else if (isDue) {
    const detail = `the committed tree of ${size} leaves is not published`
    notes.find('published-row', 'missing', PUBLISHED_ROW, detail, remedy)
    return { tree: signed, cursor }
  }
  await checkKept(context, published)
  return { tree: published, cursor: size === published.checkpoint.size ? cursor : null }
}

/** How a committed checkpoint would be published: with its cosignatures, where they are kept. */
async function publishing(context: Context, { note, checkpoint }: Signed): Promise<Remedy> {
  const row = await context.ports.tables.checkpoints.get(WITNESSED_PARTITION, heightKey(checkpoint.size))
  const kept = row && (await open(context, row.value))
  const isSame = kept && typeof kept !== 'string' && equalBytes(kept.checkpoint.root, checkpoint.root)
  const best = isSame === true ? kept.note : note
  return { kind: 'checkpoint', partition: LOG_PARTITION, key: PUBLISHED_KEY, note: best }
}

/** A checkpoint with a quorum is kept as witnessed before it is published. */
async function checkKept({ ports, trust, notes }: Context, published: Signed): Promise<void> {
  if (!trust.policy || trust.policy.quorum === null) return
  if (!quorumOf(trust.policy, published.cosignedBy).satisfied) return
  const key = heightKey(published.checkpoint.size)
  if (await ports.tables.checkpoints.get(WITNESSED_PARTITION, key)) return
  const remedy = { kind: 'checkpoint', partition: WITNESSED_PARTITION, key, note: published.note } as const
  const detail = 'the published checkpoint has its quorum and is not kept as witnessed'
  notes.find('witnessed-row', 'missing', `checkpoints/${WITNESSED_PARTITION}/${key}`, detail, remedy)
}

/** Checkpoints that are kept as witnessed, from a size on, in the order of size, a page at a time. */
export async function* witnessedFrom(context: Context, from: number): AsyncGenerator<Signed> {
  for (let key = heightKey(from); ;) {
    const rows = await context.ports.tables.checkpoints.range(WITNESSED_PARTITION, { from: key, limit: 200 })
    for (const row of rows) {
      const signed = await openWitnessed(context, row)
      if (signed) yield signed
    }
    const last = rows.at(-1)
    if (!last) return
    key = `${last.key}\u0000`
  }
}

async function readCommitted(
  context: Context,
  isPublished: boolean,
): Promise<{ readonly tree: Tree; readonly signed: Signed; readonly cursor: Timestamp | null } | null> {
  const { ports, notes } = context
  try {
    const loaded = await loadTree(ports.tables.checkpoints)
    if (loaded) {
      const { tree } = loaded
      const signed = await open(context, tree.note)
      if (typeof signed === 'string') notes.find('tree-row', 'tampered', TREE_ROW, signed)
      else if (tree.staging !== null && !leadsTo(tree.staging, tree.checkpoint))
        notes.find('tree-row', 'tampered', TREE_ROW, 'the staging bundle is of another tree')
      else if (!signed.signedAt.every((seconds) => seconds === tree.signedAt))
        notes.find('tree-row', 'tampered', TREE_ROW, 'it states another time than its signature')
      else return { tree, signed, cursor: (await isVouched(context, tree)) ? tree.cursor : null }
    } else if (
      isPublished ||
      (await ports.tables.checkpoints.range(WITNESSED_PARTITION, { limit: 1 })).length > 0
    )
      notes.find('tree-row', 'missing', TREE_ROW, 'the committed tree is not stored')
  } catch (error) {
    if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
    notes.find('tree-row', 'tampered', TREE_ROW, 'the committed tree cannot be read')
  }
  return null
}

/** Whether its seal holds, or it has none; one that does not hurts nothing: the next commit is sealed anew. */
async function isVouched({ home, trust, notes }: Context, tree: Tree): Promise<boolean> {
  if (!tree.seal) return true
  const key = trust.keys.find(({ type }) => type === 'Ed25519')
  const holds = key !== undefined && (await holdsSeal(home, tree, publicJwkOf(key)))
  if (!holds) notes.find('tree-seal', 'tampered', TREE_ROW, 'its seal is not of what it says')
  return holds
}

async function openWitnessed(context: Context, row: Row): Promise<Signed | null> {
  const { notes, trust } = context
  const where = `checkpoints/${WITNESSED_PARTITION}/${row.key}`
  const signed = await open(context, row.value)
  if (typeof signed === 'string') notes.find('witnessed-row', 'tampered', where, signed)
  else if (heightKey(signed.checkpoint.size) !== row.key)
    notes.find('witnessed-row', 'tampered', where, 'the checkpoint is of another size than its row')
  else {
    if (!trust.policy || quorumOf(trust.policy, signed.cosignedBy).satisfied) return signed
    if (isCosigned(signed)) notes.noteEarlier(signed.checkpoint.size)
    else notes.find('witnessed-quorum', 'missing', where, 'no witness cosigned this checkpoint')
    return signed
  }
  return null
}

/** Whether it has a line by anybody else than its log: nothing is kept without, whatever the policy is. */
function isCosigned({ note, checkpoint }: Signed): boolean {
  return parseNote(note).signatures.some(({ name }) => name !== checkpoint.origin)
}

/** A checkpoint that every key of this log signed, or what is wrong with it. */
async function open({ home, trust }: Context, value: Uint8Array | string): Promise<Signed | string> {
  try {
    const note = typeof value === 'string' ? value : fromUtf8(value)
    const cosigners = trust.policy?.witnesses.map(({ key }) => key) ?? []
    const opened = await openCheckpoint(note, { logs: trust.keys, cosigners }, home.verifiers)
    const { checkpoint, signedBy, signedAt, cosignatures } = opened
    if (checkpoint.origin !== logOriginOf(home.origin)) return 'the checkpoint is of another log'
    if (checkpoint.size === 0 && !equalBytes(checkpoint.root, merkleRoot([])))
      return 'an empty tree has another root'
    if (signedBy.length < trust.keys.length) return 'the checkpoint is not signed by every key of the log'
    // tlog-cosignature: time 0 claims nothing about when.
    const cosignedBy = cosignatures.filter(({ time }) => time !== 0).map(({ key }) => key)
    return { checkpoint, note, signedAt, cosignedBy }
  } catch (error) {
    if (isAmpereError(error)) return `the checkpoint does not verify: ${error.message}`
    throw error
  }
}
