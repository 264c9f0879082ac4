// SPDX-License-Identifier: Apache-2.0
import {
  signLookup,
  type FindingsAnswer,
  type FoundLeaf,
  type LookupAnswer,
  type MonitoredAnswer,
} from '../../api/lookup.ts'
import { encodeLeaf } from '../../block/leaf.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import { leafHash } from '../../log/merkle.ts'
import { verifyInclusion } from '../../log/proof.ts'
import { inclusionFromTiles } from '../../log/tile/read.ts'
import type { ReadTile } from '../../log/tile/read-tile.ts'
import { formatTlogProof } from '../../log/tlog-proof.ts'
import { pageFrom } from '../store/page.ts'
import { listFindings } from './against/findings.ts'
import { findLabel, type PlacedLeaf } from './labels.ts'
import { copiedUnder, findMonitored, type MonitoredLog, type Noted } from './monitored-row.ts'
import type { LookupPorts } from './needs.ts'
import { keptTiles } from './tiles.ts'

/**
 * Says, signed, whether a label is in a monitored log. A label that was copied is said to be where it is in the newest
 * verified tree, with the proof of that; one that is in none is said to be absent from the newest one that the quorum of the monitor's policy
 * cosigned, if there is one, because that says as of when.
 * @throws AmpereError NOT_FOUND for a log that is not monitored or of which nothing is verified yet; STORE_CORRUPT
 */
export async function lookUp(
  { tables, keys, now }: LookupPorts,
  logId: string,
  label: Digest,
): Promise<LookupAnswer> {
  // The log before the label: all labels of a tree are stored before the row that names it.
  const log = await monitored(tables, logId)
  const { verified, cosigned, origin, edge, stopped } = log
  if (!verified) throw nothingYet()
  const under = copiedUnder(log)
  const placed = await findLabel(tables.monitored, under, label)
  // What was begun anew meanwhile has its labels removed: their absence says nothing.
  if (!placed && (await monitored(tables, logId)).generation !== log.generation) throw nothingYet()
  const there = placed && placed.index < verified.checkpoint.size ? placed : null
  const said = there ? verified : (cosigned ?? verified)
  const { note, checkpoint } = said
  const found = there && (await proofOf(there, said, keptTiles(tables.monitored, under, edge)))
  const lookup = await signLookup(
    {
      v: 1,
      origin,
      size: checkpoint.size,
      root: toBase64url(checkpoint.root) as Digest,
      label,
      index: there?.index ?? null,
      time: toTimestamp(now()),
    },
    keys.head,
  )
  return { lookup, checkpoint: note, found, stopped }
}

function nothingYet(): AmpereError {
  return new AmpereError('NOT_FOUND', 'nothing of this log is verified here yet')
}

/** The leaf with its inclusion proof, made of what was copied and verified as everybody will. @throws AmpereError STORE_CORRUPT */
async function proofOf(
  { index, leaf }: PlacedLeaf,
  { note, checkpoint: { size, root } }: Noted,
  readTile: ReadTile,
): Promise<FoundLeaf> {
  const hashes = await inclusionFromTiles(index, size, readTile)
  if (!verifyInclusion({ leaf: leafHash(encodeLeaf(leaf)), index, size, proof: hashes, root }))
    throw new AmpereError('STORE_CORRUPT', 'what a monitor copied of a log is not that log any more')
  const proof = formatTlogProof({ extra: leaf.label, index, hashes, note })
  return { hash: toBase64url(leaf.hash) as Digest, receipt: proof.slice(0, -note.length) }
}

/** How far this monitor is with a log. @throws AmpereError NOT_FOUND, STORE_CORRUPT */
export async function readMonitored(
  { tables }: Pick<LookupPorts, 'tables'>,
  logId: string,
): Promise<MonitoredAnswer> {
  const { origin, verified, cosigned, target, stopped, begun } = await monitored(tables, logId)
  const findings = await listFindings(tables.monitored, origin)
  return {
    origin,
    size: verified?.checkpoint.size ?? 0,
    checkpoint: verified?.note ?? null,
    cosigned: cosigned?.checkpoint.size ?? null,
    pending: target?.checkpoint.size ?? null,
    stopped,
    begun,
    findings: findings.map(({ kind, time }) => ({ kind, time })),
  }
}

/** A page of what speaks against a log, for whoever makes evidence of it. @throws AmpereError NOT_FOUND, STORE_CORRUPT */
export async function readFindings(
  { tables }: Pick<LookupPorts, 'tables'>,
  logId: string,
  from: number,
): Promise<FindingsAnswer> {
  const { origin } = await monitored(tables, logId)
  const all = await listFindings(tables.monitored, origin)
  return pageFrom(
    all.map(({ kind, time, notes, leaves, hashes }) => ({
      kind,
      time,
      notes: [...notes],
      leaves: leaves.map(({ index, entry, proof }) => ({ index, entry, proof: proof && [...proof] })),
      hashes: [...hashes],
    })),
    from,
  )
}

async function monitored({ monitored: table }: LookupPorts['tables'], logId: string): Promise<MonitoredLog> {
  const found = await findMonitored(table, logId)
  if (!found) throw new AmpereError('NOT_FOUND', 'no such log is monitored here')
  return found.log
}
