// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import { authorize } from '#core/api/request.ts'
import type { Connection } from '#core/client/connect.ts'
import type { ReceiptLevel } from '#core/server/read/receipt.ts'
import type { Screen } from '../../terminal/screen.ts'

/** How long a demo waits for its witness, in milliseconds. */
export const WITNESS_WAIT_MS = 10_000
const PAUSE_MS = 100

/** How many blocks of a record have a receipt, and how many a witnessed one. */
export interface Receipted {
  readonly blocks: number
  readonly logged: number
  readonly witnessed: number
}

/**
 * Asks the home for the receipt of every block of a record until all are witnessed, where that is to be expected, for
 * at most `WITNESS_WAIT_MS`; meanwhile it is said how far it is.
 */
export async function awaitReceipts(
  screen: Screen,
  home: { readonly tendLog: () => Promise<void> },
  connection: Connection,
  record: ChainId,
  isExpected: boolean,
): Promise<Receipted> {
  const { notes } = await connection.replica(record)
  const { terminal } = screen
  const until = terminal.now() + (isExpected ? WITNESS_WAIT_MS : 0)
  const progress = screen.progress({ doing: 'Waiting for the witness', unit: 'blocks', total: notes.length })
  const levels: (ReceiptLevel | null)[] = notes.map(() => null)
  try {
    for (let isFirst = true; ; isFirst = false) {
      for (const [height, { id }] of notes.entries())
        if (levels[height] !== 'witnessed')
          levels[height] = await receiptLevel(connection, record, height, id)
      const witnessed = levels.filter((level) => level === 'witnessed').length
      progress.update(witnessed)
      const isDone = witnessed === notes.length || (!isFirst && terminal.now() >= until)
      if (isDone) return { blocks: notes.length, logged: levels.filter(Boolean).length, witnessed }
      if (!isFirst) await terminal.wait(PAUSE_MS)
      await home.tendLog()
    }
  } finally {
    progress.stop()
  }
}

/** What the header of a receipt says; null while there is none. */
async function receiptLevel(
  { ports }: Connection,
  chain: ChainId,
  height: number,
  block: string,
): Promise<ReceiptLevel | null> {
  const url = new URL(`/v1/receipts/${block}?chain=${chain}&height=${height}`, ports.pins.origin)
  const asked = { method: 'GET' as const, url, body: new Uint8Array(0) }
  const { now, random, identity } = ports
  const authorization = await authorize(asked, { now, random, signer: identity.signer })
  const response = await ports.fetch(new Request(url, { headers: { authorization } }))
  await response.body?.cancel()
  const level = response.ok ? response.headers.get('ampere-receipt') : null
  return level === 'logged' || level === 'witnessed' ? level : null
}
