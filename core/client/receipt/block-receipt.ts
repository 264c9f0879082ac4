// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '../../errors.ts'
import type { Connection } from '../connect.ts'
import { homeAfter, type Replica } from '../read/replica.ts'
import { createReceiptJudge, type JudgedReceipt } from './judge.ts'

/**
 * What the home's receipt of one block proves to this reader.
 * @returns null where there is no such block, no receipt, one that proves nothing, or no policy is pinned
 */
export async function blockReceipt(
  connection: Connection,
  replica: Replica,
  height: number,
): Promise<JudgedReceipt | null> {
  const { api, ports, sync } = connection
  const { policy } = ports.pins
  const note = replica.notes[height]
  if (!policy || !note) return null
  const text = await api.receipt(replica.chain, note.id, height)
  if (text === null) return null
  const span = replica.labelKeys.findLast((item) => item.height < Math.max(height, 1))
  const labelKey = span ? (await connection.keyring(replica)).labelKeyOf(span.hash) : null
  try {
    const judge = createReceiptJudge(policy, sync.verifiers)
    const home = homeAfter(replica, height)
    return await judge.judge(text, { chain: replica.chain, height, home, hash: note.hash, labelKey })
  } catch (error) {
    if (isAmpereError(error, 'VERIFICATION_FAILED')) return null
    throw error
  }
}
