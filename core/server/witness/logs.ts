// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../../errors.ts'
import { malformed } from '../../log/note/lines.ts'
import { formatVerifierKey, isSameKey, parseVerifierKey, type LogKey } from '../../log/note/key.ts'
import { formatNote } from '../../log/note/note.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import { loadLog, logIdOf, LOGS_PARTITION, parseLogRow, swapLog, type WitnessedLog } from './log-row.ts'
import type { WitnessPorts } from './needs.ts'

/** Keys of one log: two signature types, and each before and after a rotation, fit twice. */
export const MAX_LOG_KEYS = 8
/** Rows read at once. */
const PAGE = 200

/** What managing and reading logs uses of a witness's ports. */
export type WitnessTables = Pick<WitnessPorts, 'tables'>

/**
 * Makes a log known, or replaces the keys of one that is known. What was cosigned stays, also from before the log was
 * removed: who adds a log again must not get a second history past its witness.
 * @param keys verifier keys (c2sp.org/signed-note), each with the log's origin as its name
 * @throws AmpereError LOG_MALFORMED, KEY_MALFORMED, or UNSUPPORTED for a signature type
 */
export async function addLog(
  { tables }: WitnessTables,
  origin: string,
  keys: readonly string[],
): Promise<void> {
  const parsed = parseKeys(origin, keys)
  await change(tables.witness, origin, (log) => ({ origin, keys: parsed, cosigned: log?.cosigned ?? null }))
}

/** Forgets the keys of a log, so that nothing of it is cosigned; what was cosigned is kept. */
export async function removeLog({ tables }: WitnessTables, origin: string): Promise<void> {
  await change(tables.witness, origin, (log) => log && { ...log, keys: [] })
}

/**
 * Makes known exactly these logs, with exactly these keys; what is so already is only read. What was cosigned of others is kept,
 * as `removeLog` does.
 * @throws AmpereError as `addLog`, and STORE_CORRUPT
 */
export async function keepLogs(
  ports: WitnessTables,
  logs: readonly { readonly origin: string; readonly keys: readonly LogKey[] }[],
): Promise<void> {
  const known = new Map((await listLogs(ports)).map(({ origin, keys }) => [origin, keys]))
  for (const { origin, keys } of logs) {
    if (!areSame(known.get(origin) ?? [], keys)) await addLog(ports, origin, keys.map(formatVerifierKey))
    known.delete(origin)
  }
  for (const origin of known.keys()) await removeLog(ports, origin)
}

function areSame(some: readonly LogKey[], others: readonly LogKey[]): boolean {
  return some.length === others.length && others.every((key) => some.some((one) => isSameKey(one, key)))
}

/**
 * Forgets what was cosigned of every log; keys of logs, and evidence, stay. Only once the witness has other keys: one that
 * forgets what its keys cosigned cosigns a second history with them (c2sp.org/tlog-witness). Rows that cannot be read are
 * removed: their logs have to be added again.
 * @returns how many rows were removed
 */
export async function forgetCosigned({ tables: { witness } }: WitnessTables): Promise<number> {
  let removed = 0
  for (let from = ''; ;) {
    const rows = await witness.range(LOGS_PARTITION, { from, limit: PAGE })
    for (const { key } of rows) removed += (await forgetRow(witness, key)) ? 1 : 0
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return removed
    from = `${last.key}\u0000`
  }
}

/** @returns true when it was removed */
async function forgetRow(table: WriteTable, key: string): Promise<boolean> {
  for (;;) {
    const row = await table.get(LOGS_PARTITION, key)
    if (!row) return false
    const log = readableRow(row)
    if (log === null) {
      if ((await table.swap(LOGS_PARTITION, key, row.version, null)) !== null) return true
    } else if (!log.cosigned || (await swapLog(table, row.version, { ...log, cosigned: null }))) return false
  }
}

/** Null for one that was changed. */
function readableRow(row: Row): WitnessedLog | null {
  try {
    return parseLogRow(row)
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return null
    throw error
  }
}

/** The logs that are cosigned, in the order of their ids. @throws AmpereError STORE_CORRUPT */
export async function listLogs(ports: WitnessTables): Promise<WitnessedLog[]> {
  return (await listKnownLogs(ports)).filter(({ keys }) => keys.length > 0)
}

/** The same with those that are cosigned no more, which have no keys here. @throws AmpereError STORE_CORRUPT */
export async function listKnownLogs({ tables }: WitnessTables): Promise<WitnessedLog[]> {
  const logs: WitnessedLog[] = []
  for (let from = ''; ;) {
    const rows = await tables.witness.range(LOGS_PARTITION, { from, limit: PAGE })
    logs.push(...rows.map(parseLogRow))
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return logs
    from = `${last.key}\u0000`
  }
}

/**
 * The newest checkpoint that was cosigned, with the signatures of its log and ours: what monitors fetch.
 * @param logId as `logIdOf` gives it
 * @throws AmpereError NOT_FOUND when nothing of such a log was cosigned, STORE_CORRUPT
 */
export async function readCosigned({ tables }: WitnessTables, logId: string): Promise<string> {
  const cosigned = (await loadLog(tables.witness, logId))?.log.cosigned
  if (!cosigned) throw new AmpereError('NOT_FOUND', 'no checkpoint of such a log was cosigned here')
  return formatNote(cosigned.note)
}

/** Repeated until nobody else changes the row in between: each time somebody got on. */
async function change(
  table: WriteTable,
  origin: string,
  next: (log: WitnessedLog | null) => WitnessedLog | null,
): Promise<void> {
  for (;;) {
    const loaded = await loadLog(table, logIdOf(origin))
    const changed = next(loaded?.log ?? null)
    if (!changed || (await swapLog(table, loaded?.version ?? null, changed))) return
  }
}

function parseKeys(origin: string, texts: readonly string[]): LogKey[] {
  if (texts.length === 0 || texts.length > MAX_LOG_KEYS)
    throw malformed(`a log does not have 1 to ${MAX_LOG_KEYS} keys`)
  const keys = texts.map(parseVerifierKey)
  if (keys.some(({ name }) => name !== origin))
    throw malformed('a key of a log has another name than its origin')
  // Two keys of one id could not be told apart in a note, and a key that is given twice is a slip.
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw malformed('two keys of a log have one key ID')
  return keys
}
