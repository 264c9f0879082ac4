// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { REFRESH_SECONDS } from '#core/server/cosign/state.ts'
import { isWitnessed, openNewest, standingsOf, type Standing } from '../asked.ts'
import { lastCosigned, nameOf, type Cosigned } from './last-cosigned.ts'
import type { LookedAt } from './looked-at.ts'
import { probe, type OwnLog, type Shown } from './probe.ts'

/** Cosignatures are renewed when they are older than `REFRESH_SECONDS`; twice that means that renewing fails. */
const STALE_SECONDS = 2 * REFRESH_SECONDS

/** How this home's log is witnessed. */
export interface Look {
  /** `last`: what one cosigned last, of what this home keeps; null where that is the newest, or none is kept. */
  readonly witnesses: readonly (Standing & { readonly shown: Shown; readonly last: Cosigned | null })[]
  /** The newest checkpoint has the quorum, and it is renewed where the home is served. */
  readonly reached: boolean
  readonly isStale: boolean
}

/** Asks every witness of the policy what it has cosigned, and compares it with what this home has. */
export async function lookAtWitnesses(log: LookedAt, policy: Policy, nowMs: number): Promise<Look> {
  const note = await log.newest()
  const newest = note === null ? null : await openNewest(policy, note)
  const own = ownLog(log, nowMs / 1000)
  const standings = standingsOf(policy, newest)
  const last = await lastCosigned(log, policy, standings)
  const witnesses = await Promise.all(
    standings.map(async (standing) => {
      const shown = await probe((request) => fetch(request), policy, standing, own)
      return { ...standing, shown, last: last.get(nameOf(standing)) ?? null }
    }),
  )
  const oldest = Math.min(...(newest?.cosignatures ?? []).map(({ time }) => time))
  // A home that is stopped renews nothing.
  const isStale = log.isRunning && nowMs / 1000 - oldest > STALE_SECONDS
  return { witnesses, isStale, reached: isWitnessed(policy, newest) && !isStale }
}

function ownLog({ origin, newest, tile }: LookedAt, nowSeconds: number): OwnLog {
  return {
    origin: logOriginOf(origin),
    newest: async () => {
      const note = await newest()
      return note === null ? null : checkpointIn(note)
    },
    tile,
    nowSeconds,
  }
}
