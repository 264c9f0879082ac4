// SPDX-License-Identifier: Apache-2.0
import { asChainId } from '../../bytes/ids.ts'
import type { Link } from '../../chain/state.ts'
import { evidenceOfBlocks, type LoggedBlock } from '../../evidence/build.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { EvidenceSink } from '../client.ts'
import { keepEvidence } from '../convict/keep-evidence.ts'
import { pinnedLog } from '../convict/pinned-log.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import type { Shown, ShownBlock } from '../receipt/shown.ts'
import type { ExportProblem } from './check-parts.ts'
import type { ExportParts } from './read-lines.ts'

/**
 * The heights at which another file showed another block of this chain, each verified by itself. Of the lowest at which
 * both have a receipt that verifies, evidence is kept: what two authors signed convicts nobody, that one log holds both does.
 */
export async function forkedBlocks(
  { first, receipts }: ExportParts,
  links: readonly Link[],
  log: LogView | null,
  by: {
    readonly shown: Shown
    readonly policy: Policy | null
    readonly evidence: EvidenceSink | null
  },
): Promise<readonly ExportProblem[]> {
  const blocks = links.map(({ opened: { id, compact } }, height): ShownBlock => {
    const isProven = (log?.receipts[height] ?? null) !== null
    return { height, id, compact, receipt: isProven ? (receipts.get(height) ?? null) : null }
  })
  const pairs = by.shown.addBlocks(asChainId(first.chain), blocks)
  const { origin, log: keys } = pinnedLog(by.policy, first.origin)
  const logged = pairs.find(([a, b]) => a.receipt !== null && b.receipt !== null)
  const kept =
    logged && by.evidence
      ? await keepEvidence(by.evidence, { registry: null, logs: keys }, async () =>
          evidenceOfBlocks({ origin, log: keys }, [loggedBlock(logged[0]), loggedBlock(logged[1])]),
        )
      : ''
  return pairs.map(([, { height }]) => {
    const detail = `another block was shown at this height${height === logged?.[1].height ? kept : ''}`
    return { height, status: 'forked', rule: 'two-blocks', detail }
  })
}

function loggedBlock({ compact, receipt }: ShownBlock): LoggedBlock {
  return { block: compact, receipt: receipt ?? '' }
}
