// SPDX-License-Identifier: Apache-2.0
import { compactHash, encodeLeaf } from '../../block/leaf.ts'
import { evidenceOfCheckpoints, evidenceOfOrder } from '../../evidence/build.ts'
import { leafHash } from '../../log/merkle.ts'
import type { Policy } from '../../log/policy/policy.ts'
import { parseTlogProof } from '../../log/tlog-proof.ts'
import type { EvidenceSink } from '../client.ts'
import { keepEvidence } from './keep-evidence.ts'
import { pinnedLog } from './pinned-log.ts'
import type { ConvictLog } from '../receipt/judge-blocks.ts'
import type { PlacedReceipt } from '../receipt/rules/receipt-problem.ts'

/** What makes evidence of receipts that contradict each other. */
export interface ConvictReceipts {
  readonly policy: Policy
  /** Of the home. */
  readonly origin: string
  readonly sink: EvidenceSink
  /** The compact block at a height, whose hash its log entry has. */
  readonly blockAt: (height: number) => Promise<string>
}

interface Logged extends PlacedReceipt {
  readonly block: string
}

/** Keeps, of blocks that are logged out of order and of trees of one size, what shows that to whoever pins the keys of the log. */
export function receiptConvict(by: ConvictReceipts): ConvictLog {
  const { origin, log } = pinnedLog(by.policy, by.origin)
  const keep = (make: () => Promise<Uint8Array>) => keepEvidence(by.sink, { registry: null, logs: log }, make)
  return {
    order: ([lower, higher]) =>
      keep(async () => {
        const [a, b] = [await logged(by, lower), await logged(by, higher)]
        if (a.index === b.index) return twoLeaves({ origin, log }, a, b)
        return evidenceOfOrder({ origin, log }, [
          { block: a.block, receipt: a.text },
          { block: b.block, receipt: b.text },
        ])
      }),
    trees: (notes) => keep(async () => evidenceOfCheckpoints({ origin, log }, notes, { how: 'root' })),
  }
}

async function logged({ blockAt }: ConvictReceipts, placed: PlacedReceipt): Promise<Logged> {
  return { ...placed, block: await blockAt(placed.height) }
}

/** Two blocks at one index are in two trees, neither of which begins with the other. */
function twoLeaves(
  of: { readonly origin: string; readonly log: readonly string[] },
  a: Logged,
  b: Logged,
): Uint8Array {
  const [one, two] = [parseTlogProof(a.text), parseTlogProof(b.text)]
  return evidenceOfCheckpoints(of, [one.note, two.note], {
    how: 'leaf',
    index: a.index,
    leaves: [leafOf(a.block, one.extra), leafOf(b.block, two.extra)],
    proofs: [one.hashes, two.hashes],
  })
}

function leafOf(block: string, label: Uint8Array | null): Uint8Array {
  return leafHash(encodeLeaf({ label: label ?? new Uint8Array(0), hash: compactHash(block) }))
}
