// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import type { KnownHead } from '#core/server/restore/restore.ts'
import { institutionFolder } from '../deployment/files.ts'
import type { Settings } from '../deployment/settings.ts'
import { seenHeads } from './seen.ts'

/** The newest heads that the institutions of this folder saw. */
export function knownHeads(folder: string, { institutions }: Settings): ReadonlyMap<ChainId, KnownHead> {
  const known = new Map<ChainId, KnownHead>()
  for (const id of institutions) {
    for (const [chain, head] of seenHeads(institutionFolder(folder, id)))
      if (head.height > (known.get(chain)?.height ?? -1)) known.set(chain, head)
  }
  return known
}
