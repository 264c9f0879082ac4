// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { heightKey, rangeUnder } from '../store/rows.ts'
import type { HomeStores } from './stores.ts'
import { allRows } from './source.ts'

/** What is wrong with a part of a block where it is copied from, by the rules of audits (docs/OPERATIONS.md). */
export type GapRule =
  | 'keys-row'
  | 'keys-root'
  | 'destroyed-key'
  | 'object'
  | 'entries-root'
  | 'packages-root'
  | 'label-key'

/** A part that the source does not have as it was signed. It may have been erased: only the whole chain tells. */
export interface Gap {
  readonly chain: ChainId
  readonly height: number
  readonly rule: GapRule
}

/** Partition of the jobs of what is copied to, with the parts that its source did not have. */
const GAPS_PARTITION = 'gaps'

/** Notes a gap, before its block is stored: otherwise a copy that was interrupted there would never know of it. */
export async function noteGap({ tables }: HomeStores, gap: Gap): Promise<void> {
  await tables.jobs.insert(GAPS_PARTITION, keyOf(gap), utf8(gap.rule))
}

/** The gaps that are noted of a chain. */
export async function notedGaps({ tables }: HomeStores, chain: ChainId): Promise<readonly Gap[]> {
  const gaps: Gap[] = []
  for await (const { key } of allRows(tables.jobs, GAPS_PARTITION, rangeUnder(chain))) {
    const [, height = '', rule = ''] = key.split('/')
    gaps.push({ chain, height: Number(height), rule: rule as GapRule })
  }
  return gaps
}

/** The part is there now. */
export async function closeGap({ tables }: HomeStores, gap: Gap): Promise<void> {
  const row = await tables.jobs.get(GAPS_PARTITION, keyOf(gap))
  if (row) await tables.jobs.swap(GAPS_PARTITION, row.key, row.version, null)
}

function keyOf({ chain, height, rule }: Gap): string {
  return `${chain}/${heightKey(height)}/${rule}`
}
