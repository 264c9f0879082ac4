// SPDX-License-Identifier: Apache-2.0
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { createSealedRows, type SealedRows } from '#core/bridge/store/sealed-rows.ts'
import type { Random } from '#core/ports/keys.ts'
import type { ReadTable, Row, WriteTable } from '#core/ports/table.ts'
import type { Institution } from '../../open/institution.ts'
import { counted } from '../../terminal/words.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
/** Rows that are on their way at once. */
const PAGE = 100
/** What was erased first, so that no delivery brings it back; patients last: with them the bridge begins to serve a record. */
const BEFORE_PATIENTS = ['erased', 'served', 'settled', 'indexed', 'pairing', 'access'] as const
const PATIENTS = 'patient'

/**
 * Gives the table of an institution's bridge in a cloud what commands kept on this computer while there was no such bridge: the same rows,
 * which are named and sealed under the same secret. Where both know a patient the bridge's record stands. Afterwards the folder has
 * another name, by which nobody opens it. Safe to repeat.
 */
export async function handOver(
  { folder, indexKey }: Pick<Institution, 'folder' | 'indexKey'>,
  table: WriteTable,
  say: (line: string) => void,
): Promise<void> {
  const own = join(folder, 'bridge')
  if (!existsSync(own)) return
  const platform = openLocal({ folder: own, passphrase: null, beside: true })
  const rows = createSealedRows(indexKey, random)
  try {
    const kept = platform.table('bridge')
    const chains = await chainsIn(kept, rows)
    for (const chain of chains) await copy(kept, table, `entry/${rows.nameOf('chain', chain)}`)
    for (const partition of BEFORE_PATIENTS) await copy(kept, table, partition)
    const others = await differing(rows, await copy(kept, table, PATIENTS), table)
    const patients = counted(chains.length, 'patient')
    if (chains.length > 0) say(`The bridge in the cloud has what was kept here: ${patients}`)
    if (others.length > 0)
      say(
        `Of ${others.length} of them it has another record already, which stands. The others stay at the home: ${others.join(', ')}`,
      )
  } finally {
    await platform.close()
  }
  renameSync(own, freeName(join(folder, 'bridge-handed-over')))
}

async function chainsIn(kept: ReadTable, rows: SealedRows): Promise<readonly string[]> {
  const chains: string[] = []
  for await (const page of pagesOf(kept, PATIENTS))
    for (const { value } of page) chains.push((await rows.open(value))['chain'] ?? '')
  return chains
}

/** @returns those that were there already */
async function copy(kept: ReadTable, table: WriteTable, partition: string): Promise<readonly Row[]> {
  const there: Row[] = []
  for await (const page of pagesOf(kept, partition)) {
    const outcomes = await Promise.all(page.map(({ key, value }) => table.insert(partition, key, value)))
    there.push(...page.filter((_, at) => outcomes[at] === 'exists'))
  }
  return there
}

/** Chains of patients for whom the bridge has another one. */
async function differing(
  rows: SealedRows,
  there: readonly Row[],
  table: ReadTable,
): Promise<readonly string[]> {
  const found: string[] = []
  for (const { key, value } of there) {
    const row = await table.get(PATIENTS, key)
    const [ours, theirs] = [await rows.open(value), row && (await rows.open(row.value))]
    if (theirs && ours['chain'] !== theirs['chain']) found.push(ours['chain'] ?? '')
  }
  return found
}

async function* pagesOf(kept: ReadTable, partition: string): AsyncGenerator<readonly Row[]> {
  for (let from = ''; ;) {
    const page = await kept.range(partition, { from, limit: PAGE })
    const last = page.at(-1)
    if (!last) return
    yield page
    from = `${last.key}\u0000`
  }
}

function freeName(base: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`
    if (!existsSync(name)) return name
  }
}
