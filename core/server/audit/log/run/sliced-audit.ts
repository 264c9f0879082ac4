// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../../../bytes/encoding.ts'
import { concat } from '../../../../bytes/frame.ts'
import { digestOf } from '../../../../crypto/hash.ts'
import { AmpereError } from '../../../../errors.ts'
import type { Random } from '../../../../ports/keys.ts'
import type { WriteTable } from '../../../../ports/table.ts'
import type { Home } from '../../../home.ts'
import { heightKey } from '../../../store/rows.ts'
import { auditOf, type LogAudit } from '../audit-log.ts'
import type { LogAuditPorts, LogTrust } from '../needs.ts'
import { decodeRun, encodeRun } from './encode-run.ts'
import { beginRun, goOn } from './log-run.ts'

/** Partition of the table `audits` with audits of the log that are under way. */
const RUNS = 'log'
/** Bytes of one row: an audit is kept in several. */
const PIECE_BYTES = 192 * 1024
/** An audit with which nobody went on for so long is forgotten, in milliseconds: a day. */
const RUN_LIFE_MS = 24 * 3_600_000
/**
 * Leaves of the largest tree of which a slice looks for what is wrong with it: that is done at once, and takes as long as the
 * tree is large. Of a larger one slices say that it is damaged, and an audit beside the stores says where.
 */
export const MAX_LOCATED_LEAVES = 2 ** 20
const CURSOR = /^(\d{16}-[\w-]{16})\.(\d{1,9})\.([\w-]{43})$/

/** What slices of an audit use. */
export interface SlicePorts extends LogAuditPorts {
  readonly tables: LogAuditPorts['tables'] & { readonly audits: WriteTable }
  readonly random: Random
}

/** Which slice is made. */
export interface Slice {
  /** Where the slice before ended; null begins an audit. */
  readonly cursor: string | null
  /** Of an audit that begins: only what came after the last one that passed. */
  readonly sinceLast: boolean
  /** Asked after each chain and each bundle whether the slice is over; each slice gets on by one at least. */
  readonly pause: () => boolean
  /** As `MAX_LOCATED_LEAVES`, which it is when left out. */
  readonly maxLocatedLeaves?: number
}

/** What came of a slice. */
export interface SlicedAudit {
  /** What was found so far; all of it once `next` is null. */
  readonly audit: LogAudit
  /** With what to go on; null at the end. */
  readonly next: string | null
  /** Leaves that were built into the tree, and blocks that were compared, so far. */
  readonly leaves: number
}

/**
 * Makes a slice of an audit of the log, of the tree that was signed when it began: many of them find what one audit
 * finds. What it takes to go on is stored; the cursor has its digest, so that whoever can change the store changes
 * nothing of an audit. A slice may be repeated with its cursor, until the one after the next is made.
 * @throws AmpereError NOT_FOUND for a cursor of an audit that is over, too old, or changed in the store
 */
export async function auditSlice(
  ports: SlicePorts,
  home: Home,
  trust: LogTrust,
  { cursor, sinceLast, pause, maxLocatedLeaves = MAX_LOCATED_LEAVES }: Slice,
): Promise<SlicedAudit> {
  const at = { ports, home, trust, pause, maxLocatedLeaves, progress: () => {} }
  const from = cursor === null ? null : parseCursor(cursor)
  const run = from ? decodeRun(await load(ports.tables.audits, from)) : await beginRun(at, sinceLast)
  if (!from) await forget(ports.tables.audits, '', heightKey(Math.max(0, ports.now() - RUN_LIFE_MS)))
  await goOn(at, run)
  const leaves = run.build.edge?.size ?? 0
  if (run.phase === 'done') {
    // The last slice stays for a day: its answer may be lost on the way.
    if (from) await forget(ports.tables.audits, `${from.name}/`, sliceKey(from.name, from.slice))
    return { audit: auditOf(run), next: null, leaves }
  }
  const name = from?.name ?? `${heightKey(ports.now())}-${toBase64url(ports.random(12))}`
  const slice = (from?.slice ?? 0) + 1
  const bytes = encodeRun(run)
  await save(ports.tables.audits, { name, slice, digest: '' }, bytes)
  if (slice > 2) await forget(ports.tables.audits, `${name}/`, sliceKey(name, slice - 1))
  return { audit: auditOf(run), next: `${name}.${slice}.${digestOf(bytes)}`, leaves }
}

interface Place {
  readonly name: string
  readonly slice: number
  readonly digest: string
}

function parseCursor(cursor: string): Place {
  const [, name = '', slice = '', digest = ''] = CURSOR.exec(cursor) ?? []
  if (name === '') throw new AmpereError('REQUEST_MALFORMED', 'this is no cursor of an audit of the log')
  return { name, slice: Number(slice), digest }
}

/** Key before the pieces of a slice, in order. */
function sliceKey(name: string, slice: number): string {
  return `${name}/${heightKey(slice)}`
}

async function load(audits: WriteTable, { name, slice, digest }: Place): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let i = 0; ; i++) {
    const row = await audits.get(RUNS, `${sliceKey(name, slice)}/${heightKey(i)}`)
    if (!row) break
    pieces.push(row.value)
  }
  const bytes = concat(...pieces)
  if (pieces.length > 0 && digestOf(bytes) === digest) return bytes
  throw new AmpereError('NOT_FOUND', 'no audit of the log can go on from there: begin anew')
}

/** Pieces of a slice that was made twice are put in the place of the other's: the newest cursor counts. */
async function save(audits: WriteTable, { name, slice }: Place, bytes: Uint8Array): Promise<void> {
  await forget(audits, `${sliceKey(name, slice)}/`, `${sliceKey(name, slice)}0`)
  for (let i = 0; i * PIECE_BYTES < bytes.length; i++) {
    const key = `${sliceKey(name, slice)}/${heightKey(i)}`
    await audits.insert(RUNS, key, bytes.slice(i * PIECE_BYTES, (i + 1) * PIECE_BYTES))
  }
}

async function forget(audits: WriteTable, from: string, to: string): Promise<void> {
  for (;;) {
    const rows = await audits.range(RUNS, { from, to, limit: 100 })
    if (rows.length === 0) return
    for (const { key, version } of rows) await audits.swap(RUNS, key, version, null)
  }
}
