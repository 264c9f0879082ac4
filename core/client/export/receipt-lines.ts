// SPDX-License-Identifier: Apache-2.0
import type { Timestamp } from '../../bytes/timestamp.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { compactHash } from '../../block/leaf.ts'
import { grantEnd } from '../../chain/rules/authority.ts'
import type { Link } from '../../chain/state.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { Policy } from '../../log/policy/policy.ts'
import { parseTlogProof } from '../../log/tlog-proof.ts'
import { keyRecordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { EvidenceSink } from '../client.ts'
import type { Connection } from '../connect.ts'
import { receiptConvict } from '../convict/receipts.ts'
import { fetchReceipts } from '../receipt/fetch-receipts.ts'
import { createReceiptJudge } from '../receipt/judge.ts'
import { judgeBlocks, type LogView, type ReceiptedBlock } from '../receipt/judge-blocks.ts'
import type { TreesOf } from '../receipt/rules/trees.ts'
import type { Replica } from '../read/replica.ts'
import { completedDelays } from '../receipt/rules/delays.ts'
import type { ExportLines } from './lines.ts'
import type { ExportParts } from './read-lines.ts'

/**
 * Adds the receipts of a record's blocks, and of those blocks of the registry that revoked a key which signed one of
 * them. A tlog-proof ends with its checkpoint, which many share.
 * @throws AmpereError UPSTREAM_FAILED for a receipt that is none
 */
export async function addReceipts(
  lines: ExportLines,
  connection: Connection,
  replica: Replica,
): Promise<void> {
  const { api, sync } = connection
  const add = (kind: 'receipt' | 'registryReceipt', height: number, text: string | null): void => {
    if (text === null) return
    const { proof, checkpoint } = cutReceipt(text)
    const under = lines.under(checkpoint)
    lines.add({ [kind]: proof, of: height, under })
  }
  for await (const { note, receipt } of fetchReceipts(connection, replica))
    add('receipt', note.height, receipt)
  const records = sync.registry.newest()
  const revoked = replica.notes.flatMap(({ kid }) => keyRecordOf(records, kid)?.revoked?.height ?? [])
  for (const height of new Set(revoked)) add('registryReceipt', height, await api.registryReceipt(height))
}

/** A tlog-proof before and from its checkpoint on. */
function cutReceipt(text: string): { readonly proof: string; readonly checkpoint: string } {
  try {
    const { note } = parseTlogProof(text)
    return { proof: text.slice(0, -note.length), checkpoint: note }
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the home answered with a receipt that is none', { cause })
  }
}

/** What the receipts in a file prove under a policy, as of its head statement. */
export function judgeExported(
  parts: ExportParts,
  links: readonly Link[],
  by: {
    readonly policy: Policy
    readonly records: RegistryView
    readonly asOf: Timestamp
    readonly verifiers: Verifiers
    readonly evidence: EvidenceSink | null
    readonly treesOf: TreesOf
  },
): Promise<LogView> {
  const { first, receipts, registryReceipts, registryBlocks } = parts
  const { evidence: sink } = by
  const blockAt = async (height: number) => links[height]?.opened.compact ?? ''
  const context = {
    chain: first.chain,
    judge: createReceiptJudge(by.policy, by.verifiers),
    home: first.origin,
    records: by.records,
    registryReceipt: async (height: number) => {
      const compact = registryBlocks[height]
      if (compact === undefined) throw new RangeError('a revocation is in a block of the registry')
      return { compact, receipt: registryReceipts.get(height) ?? null }
    },
    nowMs: timestampMs(by.asOf),
    isNowStated: true,
    delayed: completedDelays(links),
    treesOf: by.treesOf,
    ...(sink ? { convict: (origin: string) => receiptConvict({ ...by, origin, sink, blockAt }) } : {}),
  }
  return judgeBlocks(context, exportedBlocks(links, receipts, by.records))
}

/** Label keys are in no export: the label is taken from the receipt. */
function* exportedBlocks(
  links: readonly Link[],
  receipts: ReadonlyMap<number, string>,
  records: RegistryView,
): Generator<ReceiptedBlock> {
  for (const [i, { opened, state }] of links.entries()) {
    const { kid, compact } = opened
    const { height, time } = opened.block
    const grantEnds = grantEnd(links[i - 1]?.state ?? null, opened, records)
    const receipt = receipts.get(height) ?? null
    const hash = compactHash(compact)
    yield { height, kid, time, home: state.home.origin, hash, labelKey: null, receipt, grantEnds }
  }
}
