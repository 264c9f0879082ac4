// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '#core/errors.ts'
import type { Now } from '#core/ports/keys.ts'
import type { ReadTable } from '#core/ports/table.ts'
import { readStanding, type Standing } from '#core/server/standing/standing.ts'

/** For how long what was read of how the home stands is used again, in milliseconds. */
const KEPT_MS = 1000

/** How the home stands, for a role in a process of its own. */
export interface Standings {
  /** @throws AmpereError STORE_UNAVAILABLE where nobody told lately: nothing may be signed then */
  readonly isBehind: () => Promise<boolean>
  readonly isLogging: () => Promise<boolean>
}

/** Reads what the sequencer told; many who ask at the same time share one read. */
export function openStandings(
  ports: { readonly tables: { readonly checkpoints: ReadTable } },
  now: Now,
): Standings {
  let kept: { readonly atMs: number; readonly read: Promise<Standing | null> } | null = null
  const standing = (): Promise<Standing | null> => {
    const nowMs = now()
    if (kept && nowMs >= kept.atMs && nowMs - kept.atMs < KEPT_MS) return kept.read
    const read = readStanding(ports, nowMs)
    const mine = { atMs: nowMs, read }
    kept = mine
    read.catch(() => {
      if (kept === mine) kept = null
    })
    return read
  }
  return {
    isBehind: async () => {
      const told = await standing()
      if (told) return told.behind
      throw new AmpereError(
        'STORE_UNAVAILABLE',
        'nobody has looked after the log of this home lately: nothing is answered until somebody does',
      )
    },
    isLogging: async () => (await standing())?.logging ?? false,
  }
}
