// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { isAmpereError } from '../../errors.ts'
import { openReason, type OpenRecord } from './open-records.ts'
import type { RotationPorts } from './ports.ts'
import { loadRotation } from './row.ts'

/** What a rotation would do now. */
export interface Estimate {
  /** Records that were looked at. */
  readonly records: number
  /** Records for which new keys are due and can be given here. */
  readonly due: readonly { readonly chain: ChainId; readonly readers: readonly string[] }[]
  /** Blocks that this takes: one for each record, and one for its access chain where that needs it. */
  readonly blocks: number
  /** What cannot be done here, or could not be looked at. */
  readonly open: readonly Omit<OpenRecord, 'sinceMs'>[]
  readonly perMinute: number
  /** How long it takes at least, in milliseconds: by the limit, or by what a chain took here so far where that is longer. */
  readonly atLeastMs: number
  /** What a chain took here so far, in milliseconds; null where none was rotated yet. */
  readonly msPerChain: number | null
}

/** Looks at each record. @throws AmpereError of the institution's own table, or of the registry */
export async function estimate({ table, patients, rotator }: RotationPorts): Promise<Estimate> {
  await rotator.mark()
  const chains = new Set((await patients.list()).map(({ chain }) => chain))
  const due: Estimate['due'][number][] = []
  const open: Estimate['open'][number][] = []
  let blocks = 0
  for (const chain of chains) {
    try {
      const found = await rotator.due(chain)
      blocks += found.chains.length
      if (found.chains.length > 0) due.push({ chain, readers: found.readers })
      if (found.why !== null) open.push({ chain, why: found.why, code: '', readers: found.readers })
    } catch (error) {
      if (!isAmpereError(error)) throw error
      open.push({ chain, why: openReason(error.code), code: error.code, readers: [] })
    }
  }
  const { perMinute, allRotated, spentMs } = (await loadRotation(table)).row
  const msPerChain = allRotated === 0 ? null : spentMs / allRotated
  // The first minute's share is done at once.
  const limitMs = Math.floor(Math.max(0, blocks - 1) / perMinute) * 60_000
  const atLeastMs = Math.round(Math.max(limitMs, blocks * (msPerChain ?? 0)))
  return { records: chains.size, due, blocks, open, perMinute, atLeastMs, msPerChain }
}
