// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '../../api/log.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { utf8 } from '../../bytes/encoding.ts'
import { digestOf } from '../../crypto/hash.ts'
import { allRows, type HomeSource } from '../copy/source.ts'
import type { AppendTable, ReadTable } from '../../ports/table.ts'
import type { Home } from '../home.ts'
import { isOfLog } from '../read/receipt.ts'
import { putMovedReceipts, type MovedReceipts } from '../store/moved-receipts.ts'
import { parseStored } from '../store/rows.ts'

/** Where a chain and its kept receipts are. */
interface Stores {
  readonly tables: { readonly blocks: ReadTable; readonly receipts: AppendTable }
}

/** The blocks of a chain that are in the log of another home: those after which the chain was there, with its origin. */
export async function* blocksElsewhere(
  { tables }: Stores,
  { origin: here }: Pick<Home, 'origin'>,
  chain: ChainId,
): AsyncGenerator<{ readonly height: number; readonly origin: string }> {
  let origin = here
  for await (const row of allRows(tables.blocks, chain)) {
    const { block } = parseStored(row.value)
    if (block.type === 'genesis' || block.type === 'rehome') origin = block.body.home.origin
    if (origin !== here) yield { height: block.height, origin }
  }
}

/**
 * Copies the receipts of other logs that a source has of a chain. Which height is in which log the chain says, and never the
 * copy: what is of this home's own blocks, of heights that there are not, or of another log, is left out. Readers judge the rest.
 */
export async function copyMovedReceipts(
  source: Pick<HomeSource, 'moved'>,
  ports: Stores,
  home: Pick<Home, 'origin'>,
  chain: ChainId,
): Promise<void> {
  const given = await source.moved(chain)
  if (given.receipts.length === 0) return
  const logs = new Map<number, string>()
  for await (const { height, origin } of blocksElsewhere(ports, home, chain))
    logs.set(height, logOriginOf(origin))
  await putMovedReceipts(ports.tables.receipts, chain, ofTheirLogs(given, logs))
}

/** Those that say they are of the log of their height, with the checkpoints that they stand under. */
function ofTheirLogs({ receipts, notes }: MovedReceipts, logs: ReadonlyMap<number, string>): MovedReceipts {
  const named = new Map(notes.map((note) => [digestOf(utf8(note)), note]))
  const kept = receipts.filter(({ height, row }) => {
    const [log, note] = [logs.get(height), named.get(row.under)]
    return log !== undefined && note !== undefined && isOfLog(row.proof + note, log)
  })
  const under = new Set(kept.map(({ row }) => row.under))
  return { receipts: kept, notes: [...named].flatMap(([name, note]) => (under.has(name) ? [note] : [])) }
}
