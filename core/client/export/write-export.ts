// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import { AmpereError } from '../../errors.ts'
import { askComplete } from '../complete/completeness.ts'
import type { Completeness } from '../complete/monitor-words.ts'
import type { Connection } from '../connect.ts'
import { registryBlocks } from '../read/registry-blocks.ts'
import { createLines } from './lines.ts'
import { addLookups } from './lookup-lines.ts'
import { addReceipts } from './receipt-lines.ts'

/** An export with what monitors say of it. */
export interface MadeExport {
  readonly bytes: Uint8Array
  /** Null where nobody was to be asked. */
  readonly complete: Completeness | null
  /** Monitors whose answers are in the file. */
  readonly answered: readonly string[]
}

/** What an export is made with. */
export interface ExportOptions {
  /** False asks no monitor, and leaves the label key out. */
  readonly lookups?: boolean
}

/** One record as lines of JSON (docs/PROTOCOL.md, Export). @throws AmpereError as reading the record does */
export async function exportRecord(connection: Connection, chain: ChainId): Promise<Uint8Array> {
  return (await makeExport(connection, chain)).bytes
}

/**
 * One record as lines of JSON (docs/PROTOCOL.md, Export): registry, blocks, key rows, sealed objects, receipts, what
 * the pinned monitors answer, statements, head.
 * @throws AmpereError as reading the record does
 */
export async function makeExport(
  connection: Connection,
  chain: ChainId,
  { lookups = true }: ExportOptions = {},
): Promise<MadeExport> {
  const known = await connection.replica(chain)
  const asked = lookups ? await askComplete(connection, known) : null
  // Newer than what was read first where a monitor knew of more.
  const replica = asked?.replica ?? known
  const { api, ports } = connection
  const lines = createLines()
  lines.add({ ampere: 'export/v1', chain, registry: ports.pins.registry, origin: ports.pins.origin })
  const registered = connection.sync.registry.height() + 1
  let written = 0
  for await (const compact of registryBlocks(api, 0, registered)) {
    lines.add({ registryBlock: compact })
    written++
  }
  if (written < registered) throw fewer()
  for (const compact of await pages(replica.notes.length, (from) => api.blocks(chain, from)))
    lines.add({ block: compact })
  for (const { entries } of replica.notes) {
    if (!entries) continue
    const name = `${entries.root}.${entries.keys}`
    const [row, object] = await Promise.all([
      api.keyRow(chain, name),
      api.object(chain, entries.root, maxObjectBytes(entries)),
    ])
    if (row) lines.add({ row: fromUtf8(row), of: name })
    if (object) lines.add({ object: toBase64url(object), of: entries.root })
  }
  await addReceipts(lines, connection, replica)
  if (asked) addLookups(lines, asked)
  for (const compact of await api.erased(chain)) lines.add({ erased: compact })
  // The statement that the replica was verified against, not a newer one that names blocks beyond these.
  lines.add({ head: replica.statement })
  return {
    bytes: lines.bytes(),
    complete: asked?.complete ?? null,
    answered: [...(asked?.answers.keys() ?? [])],
  }
}

/** The first `count` items, which were verified before: what comes after them, and for how long, is of no interest. */
async function pages(
  count: number,
  read: (from: number) => Promise<{ readonly items: readonly string[] }>,
): Promise<readonly string[]> {
  const items: string[] = []
  while (items.length < count) {
    const page = await read(items.length)
    if (page.items.length === 0) throw fewer()
    items.push(...page.items)
  }
  return items.slice(0, count)
}

function fewer(): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', 'the home no longer shows blocks that it showed before')
}
