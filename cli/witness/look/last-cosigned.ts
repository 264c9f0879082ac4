// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { OpenedCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { openNewest, standingsOf, type Standing } from '../asked.ts'
import type { LookedAt } from './looked-at.ts'

/** Kept checkpoints that are looked through, the newest first: each costs a few verifications. */
const MAX_LOOKED = 20

/** What a witness cosigned, in leaves, and when the oldest of its keys did, in POSIX seconds. */
export type Cosigned = NonNullable<Standing['cosigned']>

/**
 * What each witness that has not cosigned the newest checkpoint cosigned last, of what this home keeps for receipts: also of
 * one that cannot be asked. By name and URL; nothing of one that is in none of the newest.
 */
export async function lastCosigned(
  log: Pick<LookedAt, 'kept'>,
  policy: Policy,
  standings: readonly Standing[],
): Promise<ReadonlyMap<string, Cosigned>> {
  const last = new Map<string, Cosigned>()
  const missing = () => standings.some((each) => each.cosigned === null && !last.has(nameOf(each)))
  if (!missing()) return last
  for (const note of await log.kept(MAX_LOOKED)) {
    const opened = await openedOrNull(policy, note)
    for (const { cosigned, ...asked } of standingsOf(policy, opened))
      if (cosigned && !last.has(nameOf(asked))) last.set(nameOf(asked), cosigned)
    if (!missing()) break
  }
  return last
}

/** By what `lastCosigned` names a witness. */
export function nameOf({ name, url }: Pick<Standing, 'name' | 'url'>): string {
  return `${name} ${url ?? ''}`
}

/** Null for one of other keys of the log, or that was changed: an audit says so. */
async function openedOrNull(policy: Policy, note: string): Promise<OpenedCheckpoint | null> {
  try {
    return await openNewest(policy, note)
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return null
  }
}
