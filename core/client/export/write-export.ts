// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import { fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { Connection } from '../connect.ts'

/** One record as lines of JSON (docs/PROTOCOL.md, Export): registry, blocks, key rows, sealed objects, statements, head. */
export async function exportRecord(connection: Connection, chain: ChainId): Promise<Uint8Array> {
  const replica = await connection.replica(chain)
  const { api, ports } = connection
  const lines: object[] = [
    { ampere: 'export/v1', chain, registry: ports.pins.registry, origin: ports.pins.origin },
  ]
  for (const compact of await allPages((from) => api.registryBlocks(from)))
    lines.push({ registryBlock: compact })
  const blocks = await allPages((from) => api.blocks(chain, from))
  for (const compact of blocks.slice(0, replica.notes.length)) lines.push({ block: compact })
  for (const { entries } of replica.notes) {
    if (!entries) continue
    const name = `${entries.root}.${entries.keys}`
    const [row, object] = await Promise.all([api.keyRow(chain, name), api.object(chain, entries.root)])
    if (row) lines.push({ row: fromUtf8(row), of: name })
    if (object) lines.push({ object: toBase64url(object), of: entries.root })
  }
  for (const compact of await api.erased(chain)) lines.push({ erased: compact })
  // The statement that the replica was verified against, not a newer one that names blocks beyond these.
  lines.push({ head: replica.statement })
  return utf8(`${lines.map((line) => canonicalize(line)).join('\n')}\n`)
}

async function allPages(
  read: (from: number) => Promise<{ items: readonly string[]; next: number | null }>,
): Promise<string[]> {
  const items: string[] = []
  for (let from: number | null = 0; from !== null;) {
    const page = await read(from)
    items.push(...page.items)
    from = page.next
  }
  return items
}
