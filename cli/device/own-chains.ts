// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { Proposal } from '#core/client/devices/proposal.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { isAmpereError } from '#core/errors.ts'

/** A record, and how its chain is read; what a chain says is all that is asked of it. */
export interface ReadRecord {
  readonly chain: ChainId
  readonly read: () => Promise<{
    readonly link: { readonly state: Pick<Replica['link']['state'], 'access'> }
  }>
}

/**
 * Is each step of a proposal about this record or its access chain? A device that the record does not list yet is not told which
 * access chain it has: then no step may be about another of the device's records, which would be approved unseen.
 */
export async function isAboutRecord(
  { steps }: Proposal,
  record: ReadRecord,
  others: () => readonly ReadRecord[],
): Promise<boolean> {
  const beside = steps.map(({ chain }) => chain).filter((chain) => chain !== record.chain)
  if (beside.length === 0) return true
  const access = await accessOf(record)
  if (access !== 'unknown') return beside.every((chain) => chain === access)
  for (const other of others()) {
    if (other.chain === record.chain) continue
    const theirs: readonly unknown[] = [other.chain, await accessOf(other)]
    if (beside.some((chain) => theirs.includes(chain))) return false
  }
  return true
}

async function accessOf({ read }: ReadRecord): Promise<ChainId | 'unknown' | null> {
  try {
    return (await read()).link.state.access
  } catch (error) {
    if (isAmpereError(error, 'UNAUTHORIZED', 'NOT_FOUND')) return 'unknown'
    throw error
  }
}
