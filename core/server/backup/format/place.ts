// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { ChainId } from '../../../bytes/ids.ts'
import { chainId, count } from '../../../bytes/schema.ts'

/**
 * What a backup reads, in this order. The checkpoint comes before all of it, so that no chain is behind the log; the
 * registry comes last, so that no block names a part of it that is not there.
 */
export const STAGES = ['chains', 'log', 'witnessed', 'registry', 'end'] as const
export type Stage = (typeof STAGES)[number]

/**
 * Where a backup goes on: with the block `at` of a chain, the file `at` of the log, the checkpoint of `at` entries, or the
 * block `at` of the registry. Places are in the order in which they are read.
 */
export interface Place {
  readonly stage: Stage
  /** Only while chains are read; null before the first one. */
  readonly chain: ChainId | null
  readonly at: number
}

/** Height of the place behind a chain: after its last block and its statements. */
export const BEHIND = Number.MAX_SAFE_INTEGER

export const placeSchema = v.strictObject({
  stage: v.picklist(STAGES),
  chain: v.nullable(chainId),
  at: count,
})

export const BEGINNING: Place = { stage: 'chains', chain: null, at: 0 }

/** The beginning of the stage after this one. */
export function stageAfter(stage: Stage): Place {
  return { stage: STAGES[STAGES.indexOf(stage) + 1] ?? 'end', chain: null, at: 0 }
}

/** Negative where `a` is read before `b`. */
export function comparePlaces(a: Place, b: Place): number {
  const stages = STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage)
  if (stages !== 0) return stages
  const [left, right] = [a.chain ?? '', b.chain ?? '']
  if (left !== right) return left < right ? -1 : 1
  return a.at - b.at
}
