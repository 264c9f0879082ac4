// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../bytes/ids.ts'
import { parseJws } from '../../block/jws.ts'
import { brokenRule } from '../../errors.ts'
import type { Connection } from '../connect.ts'
import { homeAfter, type Replica } from '../read/replica.ts'
import { receiptConvict } from '../convict/receipts.ts'
import { withBrokenPromise } from '../convict/promise.ts'
import { fetchReceipts } from './fetch-receipts.ts'
import { createReceiptJudge } from './judge.ts'
import { judgeBlocks, type LogView, type ReceiptedBlock } from './judge-blocks.ts'
import type { RegistryReceipt } from './revocations.ts'

/**
 * Asks the home for the receipt of each block of a record, and judges them under the pinned policy with the label keys
 * that this reader was given.
 * @returns null without a policy: nothing in an answer can choose its own judge
 * @throws AmpereError VERIFICATION_FAILED for a receipt of the registry that is wrong; what is wrong with those of the
 * chain is in `problems`
 */
export async function readReceipts(connection: Connection, replica: Replica): Promise<LogView | null> {
  const { pins, now, evidence } = connection.ports
  const { policy } = pins
  if (!policy) return null
  const { registry, verifiers } = connection.sync
  const blockAt = async (height: number) =>
    (await connection.api.blocks(replica.chain, height)).items[0] ?? ''
  const context = {
    chain: replica.chain,
    judge: createReceiptJudge(policy, verifiers),
    home: pins.origin,
    records: registry.newest(),
    registryReceipt: (height: number) => registryReceipt(connection, height),
    nowMs: now(),
    delayed: replica.delayed,
    treesOf: connection.treesOf,
    ...(evidence
      ? { convict: (origin: string) => receiptConvict({ policy, origin, sink: evidence, blockAt }) }
      : {}),
  }
  const keyring = await connection.keyring(replica)
  const labelKeyAt = (height: number) => keyring.labelKeyOf(labelKeyHashBefore(replica, height))
  const view = await judgeBlocks(context, receiptedBlocks(connection, replica, labelKeyAt))
  return withBrokenPromise(connection, replica, labelKeyAt, view)
}

async function* receiptedBlocks(
  connection: Connection,
  replica: Replica,
  labelKeyAt: (height: number) => Uint8Array | null,
): AsyncGenerator<ReceiptedBlock> {
  for await (const { note, receipt } of fetchReceipts(connection, replica))
    yield {
      ...note,
      home: homeAfter(replica, note.height),
      labelKey: labelKeyAt(note.height),
      receipt,
      grantEnds: replica.grantEnds.get(note.height) ?? null,
    }
}

/** Of the state before a block; of a genesis its own. */
function labelKeyHashBefore({ labelKeys }: Replica, height: number): Digest {
  const span = labelKeys.findLast((item) => item.height < Math.max(height, 1))
  if (!span) throw new RangeError('a chain begins with its first label key')
  return span.hash
}

/** A block of the registry that this installation has verified, as the home stores it, with its receipt. */
async function registryReceipt(
  { api, sync: { registry } }: Connection,
  height: number,
): Promise<RegistryReceipt> {
  const [receipt, page] = await Promise.all([api.registryReceipt(height), api.registryBlocks(height)])
  const compact = page.items[0]
  if (compact === undefined || !registry.viewAt({ height, id: parseJws(compact, 'ampere-registry+jws').id }))
    throw brokenRule('registry', `another block ${height} of the registry is shown`)
  return { compact, receipt }
}
