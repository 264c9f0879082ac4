// SPDX-License-Identifier: Apache-2.0
// Run by verify-memory.ts: verifies a chain from a data folder in this process, and prints its peak memory in MB.
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { asChainId } from '#core/bytes/ids.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { AUDIT_PAGE } from '#core/server/audit/chain.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { durableDeployment, INSTITUTION } from '../worlds/durable.ts'
import { peakMb } from './peak.ts'
import { verifyingContext } from '../worlds/prepared-chain.ts'

const [how, folder = '', id = '', wanted] = process.argv.slice(2)
const world = await durableDeployment(folder)
const chain = asChainId(id)
const verified = how === 'fold' ? await foldPages() : await replicate()
if (verified !== Number(wanted)) throw new Error(`${verified} blocks were verified`)
await world.platform.close()
process.stdout.write(`${peakMb()}\n`)

/** Keeps nothing but the last link: what an auditor does. */
async function foldPages(): Promise<number> {
  const context = await verifyingContext(world, chain)
  const blocks = world.platform.table('blocks')
  let link: Link | null = null
  for (;;) {
    const from = heightKey(link ? link.opened.block.height + 1 : 0)
    const rows = await blocks.range(chain, { from, limit: AUDIT_PAGE })
    if (rows.length === 0) return link ? link.opened.block.height + 1 : 0
    const folded = await foldBlocks(
      link,
      rows.map((row) => fromUtf8(row.value)),
      context,
    )
    if (folded.broken) throw new Error(folded.broken.violation.rule)
    link = folded.links.at(-1) ?? null
  }
}

/** Keeps a note of every block: what a reader does. The home that it asks is in this process as well. */
async function replicate(): Promise<number> {
  return (await world.connect(INSTITUTION).replica(chain)).notes.length
}
