// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import { fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import { AmpereError } from '../../errors.ts'
import type { Connection } from '../connect.ts'
import { registryBlocks } from '../read/registry-blocks.ts'
import { receiptLines } from './receipt-lines.ts'

/** One record as lines of JSON (docs/PROTOCOL.md, Export): registry, blocks, key rows, sealed objects, receipts, statements, head. */
export async function exportRecord(connection: Connection, chain: ChainId): Promise<Uint8Array> {
  const replica = await connection.replica(chain)
  const { api, ports } = connection
  const lines: object[] = [
    { ampere: 'export/v1', chain, registry: ports.pins.registry, origin: ports.pins.origin },
  ]
  const registered = connection.sync.registry.height() + 1
  for await (const compact of registryBlocks(api, 0, registered)) lines.push({ registryBlock: compact })
  if (lines.length <= registered) throw fewer()
  for (const compact of await pages(replica.notes.length, (from) => api.blocks(chain, from)))
    lines.push({ block: compact })
  for (const { entries } of replica.notes) {
    if (!entries) continue
    const name = `${entries.root}.${entries.keys}`
    const [row, object] = await Promise.all([
      api.keyRow(chain, name),
      api.object(chain, entries.root, maxObjectBytes(entries)),
    ])
    if (row) lines.push({ row: fromUtf8(row), of: name })
    if (object) lines.push({ object: toBase64url(object), of: entries.root })
  }
  lines.push(...(await receiptLines(connection, replica)))
  for (const compact of await api.erased(chain)) lines.push({ erased: compact })
  // The statement that the replica was verified against, not a newer one that names blocks beyond these.
  lines.push({ head: replica.statement })
  return utf8(`${lines.map((line) => canonicalize(line)).join('\n')}\n`)
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
