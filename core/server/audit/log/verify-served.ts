// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '../../../bytes/frame.ts'
import type { Verifiers } from '../../../crypto/signature.ts'
import { isAmpereError } from '../../../errors.ts'
import type { LogKey } from '../../../log/note/key.ts'
import type { Checkpoint } from '../../../log/note/checkpoint.ts'
import { openCheckpoint } from '../../../log/note/open-checkpoint.ts'
import { merkleRoot } from '../../../log/merkle.ts'
import { EMPTY_EDGE, rootOf } from '../../../log/tile/grow.ts'
import { bundlePath } from '../../../log/tile/path.ts'
import { tileWidth } from '../../../log/tile/extent.ts'
import type { FetchPath } from '../../../log/tile/read-tile.ts'
import { LogNotes, MAX_FLAWS, type LogFinding } from './report.ts'
import { findDamage } from './tree/locate.ts'
import { rebuild } from './tree/rebuild.ts'

/** A log as anybody can read it. */
export interface ServedLog {
  readonly origin: string
  /** The newest checkpoint as it is served; null where none is. */
  readonly note: string | Uint8Array | null
  readonly fetch: FetchPath
  /** Keys that the reader trusts to sign checkpoints; one must have. */
  readonly keys: readonly LogKey[]
  readonly verifiers: Verifiers
  /** Is called with the leaves that are done. */
  readonly progress: (leaves: number) => void
}

/** What a reader found. */
export interface ServedReport {
  /** Leaves of the served checkpoint. */
  readonly size: number
  readonly findings: readonly LogFinding[]
}

/**
 * Verifies what a log serves with its public keys alone: its newest checkpoint, every entry bundle and every tile of that tree.
 * What its leaves are of, only receipts of the blocks that the reader knows tell.
 */
export async function verifyServed(log: ServedLog): Promise<ServedReport> {
  const notes = new LogNotes()
  const checkpoint = await served(log, notes)
  if (checkpoint) await verifyTree(log, checkpoint, notes)
  const findings = notes.flaws
    .slice(0, MAX_FLAWS)
    .map(({ where, status, rule, detail }) => ({ where, status, rule, detail }))
  return { size: checkpoint?.size ?? 0, findings }
}

async function served(log: ServedLog, notes: LogNotes): Promise<Checkpoint | null> {
  const { note, keys, origin, verifiers } = log
  if (note === null) {
    notes.find('published-row', 'missing', 'checkpoint', 'the log serves no checkpoint')
    return null
  }
  try {
    const { checkpoint } = await openCheckpoint(note, { logs: keys, cosigners: [] }, verifiers)
    if (checkpoint.origin === origin) return checkpoint
    notes.find('published-row', 'tampered', 'checkpoint', 'the checkpoint is of another log')
  } catch (error) {
    if (!isAmpereError(error)) throw error
    notes.find('published-row', 'tampered', 'checkpoint', `the checkpoint does not verify: ${error.message}`)
  }
  return null
}

async function verifyTree(log: ServedLog, { size, root }: Checkpoint, notes: LogNotes): Promise<void> {
  const { fetch, progress } = log
  const [unreadable, comparisons] = [new LogNotes(), new LogNotes()]
  const end = { size, checkpoint: null, isCertain: true }
  const edge = await rebuild({
    fetch,
    size,
    start: EMPTY_EDGE,
    bad: new Map(),
    published: { within: async (_, last) => (last === size ? [end] : []) },
    notes: unreadable,
    comparisons,
    same: new Set(),
    pause: () => false,
    see: (first, entries) => progress(first + entries.length),
  })
  notes.take(unreadable)
  if (edge && equalBytes(edge.size === 0 ? merkleRoot([]) : rootOf(edge), root)) {
    notes.take(comparisons)
    return
  }
  const damage = edge && (await findDamage({ fetch, size, root, built: edge }))
  for (const index of damage?.bad.keys() ?? []) {
    const path = bundlePath({ index, width: tileWidth(size, 0, index) })
    notes.find('bundle', 'tampered', path, 'the bundle is not what the signed root covers')
  }
  for (const path of damage?.unproven ?? [])
    notes.find(
      'log-root',
      'tampered',
      path,
      'neither the tile nor what is below it is what the signed root covers',
    )
  if (damage && damage.bad.size + damage.unproven.length > 0) return
  const detail = `neither bundles nor tiles make the signed root of ${size} leaves`
  notes.find('log-root', 'tampered', 'log', `${detail}; what is wrong is not decided`)
}
