// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { ChainId } from '../../bytes/ids.ts'
import { blockId, count } from '../../bytes/schema.ts'
import type { SeenHead, SeenHeads } from '../../client/client.ts'
import { AmpereError } from '../../errors.ts'
import type { WriteTable } from '../../ports/table.ts'
import type { SealedRows } from './sealed-rows.ts'

/** Partition of the bridge's table with the newest head that was seen of each chain. */
const SEEN = 'seen'
/** How often a head is put again because another process put one meanwhile, which mostly is as new. */
const MAX_ATTEMPTS = 20

const schema = v.strictObject({
  height: count,
  block: blockId,
  statement: v.exactOptional(v.string()),
  earlier: v.exactOptional(v.array(v.string())),
})

/**
 * Heads that any process of this bridge saw, in its own table: a rolled-back home is noticed by the next one as well. A head never
 * becomes lower. Who holds the table can roll it back with the home; who holds only the home cannot.
 */
export function tableSeen(table: WriteTable, rows: SealedRows): SeenHeads {
  const nameOf = (chain: ChainId) => rows.nameOf('chain', chain)
  return {
    load: async (chain) => {
      const row = await table.get(SEEN, nameOf(chain))
      return row && openHead(rows, row.value)
    },
    save: async (chain, head) => {
      const sealed = await rows.seal({ head: JSON.stringify(head) })
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const row = await table.get(SEEN, nameOf(chain))
        if (row && (await openHead(rows, row.value)).height >= head.height) return
        if ((await table.swap(SEEN, nameOf(chain), row?.version ?? null, sealed)) !== null) return
      }
      throw new AmpereError('STORE_UNAVAILABLE', 'the head that was seen could not be kept; try again')
    },
  }
}

/** @throws AmpereError OPEN_FAILED, STORE_CORRUPT */
async function openHead(rows: SealedRows, sealed: Uint8Array): Promise<SeenHead> {
  const { head = '' } = await rows.open(sealed)
  try {
    return v.parse(schema, JSON.parse(head))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a head that was seen is damaged', { cause })
  }
}
