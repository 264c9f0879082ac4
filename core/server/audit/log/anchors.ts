// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../../bytes/encoding.ts'
import { equalBytes } from '../../../bytes/frame.ts'
import type { Timestamp } from '../../../bytes/timestamp.ts'
import { isAmpereError } from '../../../errors.ts'
import { logOriginOf } from '../../../api/log.ts'
import { merkleRoot } from '../../../log/merkle.ts'
import type { Checkpoint } from '../../../log/note/checkpoint.ts'
import { openCheckpoint } from '../../../log/note/open-checkpoint.ts'
import { quorumOf } from '../../../log/policy/quorum.ts'
import type { Row } from '../../../ports/table.ts'
import type { Home } from '../../home.ts'
import { loadTree, type Tree } from '../../sequence/tree.ts'
import { LOG_PARTITION, PUBLISHED_KEY, TREE_KEY, WITNESSED_PARTITION } from '../../store/log.ts'
import { heightKey } from '../../store/rows.ts'
import type { LogAuditPorts, LogTrust } from './needs.ts'
import type { LogNotes, LogRule } from './report.ts'

/** A committed tree is published within this, in milliseconds: blocks are promised to be logged within it. */
export const LOG_PROMISE_MS = 60_000
const TREE_ROW = `checkpoints/${LOG_PARTITION}/${TREE_KEY}`
const PUBLISHED_ROW = `checkpoints/${LOG_PARTITION}/${PUBLISHED_KEY}`

/** A checkpoint whose signatures verified. */
export interface Signed {
  readonly checkpoint: Checkpoint
  readonly note: string
}

/** What signed checkpoints say the log is. */
export interface Anchors {
  /** The tree to rebuild; null while there is none, or none that its log signed. */
  readonly tree: Signed | null
  /** Marks from before this time are looked through already: where an audit of what is new may begin. */
  readonly cursor: Timestamp | null
}

interface Context {
  readonly ports: LogAuditPorts
  readonly home: Home
  readonly trust: LogTrust
  readonly notes: LogNotes
}

/**
 * Reads the committed and the published checkpoint. What is published is rebuilt, because all of its files are stored;
 * the committed one where it should have been published long ago.
 */
export async function loadAnchors(context: Context): Promise<Anchors> {
  const { ports, notes } = context
  // Before the committed one: read afterwards, it could be newer only because time passed.
  const published = await openPublished(context)
  const committed = await readCommitted(context)
  const tree = committed?.signed ?? null
  const cursor = committed?.tree.cursor ?? null
  if (tree && published && tree.checkpoint.size === published.checkpoint.size) {
    if (!equalBytes(tree.checkpoint.root, published.checkpoint.root))
      notes.find('forked', 'tampered', PUBLISHED_ROW, 'the log signed two roots for one size')
    return { tree: published, cursor }
  }
  if (published && (!tree || tree.checkpoint.size < published.checkpoint.size)) {
    const detail = `${published.checkpoint.size} leaves are published, ${tree?.checkpoint.size ?? 0} are committed`
    if (committed !== null) notes.find('rolled-back', 'missing', TREE_ROW, detail)
    return { tree: published, cursor }
  }
  if (!tree || !committed) return { tree: published, cursor }
  const isDue = ports.now() - committed.tree.signedAt * 1000 > LOG_PROMISE_MS
  if (!isDue) return { tree: published, cursor }
  const detail = `the committed tree of ${tree.checkpoint.size} leaves is not published`
  notes.find('published-row', 'missing', PUBLISHED_ROW, detail, { kind: 'published', note: tree.note })
  return { tree, cursor }
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

async function openPublished(context: Context): Promise<Signed | null> {
  const row = await context.ports.tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  return row && open(context, row.value, 'published-row', PUBLISHED_ROW)
}

async function readCommitted(
  context: Context,
): Promise<{ readonly tree: Tree; readonly signed: Signed | null } | null> {
  try {
    const loaded = await loadTree(context.ports.tables.checkpoints)
    if (!loaded) {
      if (await isBegun(context.ports))
        context.notes.find('tree-row', 'missing', TREE_ROW, 'the committed tree is not stored')
      return null
    }
    return { tree: loaded.tree, signed: await open(context, loaded.tree.note, 'tree-row', TREE_ROW) }
  } catch (error) {
    if (!isAmpereError(error, 'STORE_CORRUPT')) throw error
    context.notes.find('tree-row', 'tampered', TREE_ROW, 'the committed tree cannot be read')
    return null
  }
}

async function isBegun({ tables }: LogAuditPorts): Promise<boolean> {
  if (await tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)) return true
  return (await tables.checkpoints.range(WITNESSED_PARTITION, { limit: 1 })).length > 0
}

async function openWitnessed(context: Context, row: Row): Promise<Signed | null> {
  const where = `checkpoints/${WITNESSED_PARTITION}/${row.key}`
  const signed = await open(context, row.value, 'witnessed-row', where)
  if (!signed || heightKey(signed.checkpoint.size) === row.key) return signed
  context.notes.find('witnessed-row', 'tampered', where, 'the checkpoint is of another size than its row')
  return null
}

/** A checkpoint that every key of this log signed, or null after a finding. */
async function open(
  { home, trust, notes }: Context,
  value: Uint8Array | string,
  rule: LogRule,
  where: string,
): Promise<Signed | null> {
  try {
    const note = typeof value === 'string' ? value : fromUtf8(value)
    const cosigners = trust.policy?.witnesses.map(({ key }) => key) ?? []
    const opened = await openCheckpoint(note, { logs: trust.keys, cosigners }, home.verifiers)
    const { checkpoint, signedBy, cosignatures } = opened
    if (checkpoint.origin !== logOriginOf(home.origin))
      notes.find(rule, 'tampered', where, 'the checkpoint is of another log')
    else if (checkpoint.size === 0 && !equalBytes(checkpoint.root, merkleRoot([])))
      notes.find(rule, 'tampered', where, 'an empty tree has another root')
    else if (signedBy.length < trust.keys.length)
      notes.find(rule, 'tampered', where, 'the checkpoint is not signed by every key of the log')
    else {
      const keys = cosignatures.filter(({ time }) => time !== 0).map(({ key }) => key)
      if (rule === 'witnessed-row' && trust.policy && !quorumOf(trust.policy, keys).satisfied)
        notes.find('witnessed-quorum', 'missing', where, 'the cosignatures are not the quorum of the policy')
      return { checkpoint, note }
    }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    notes.find(rule, 'tampered', where, `the checkpoint does not verify: ${error.message}`)
  }
  return null
}
